"""policyfeed.cli"""
