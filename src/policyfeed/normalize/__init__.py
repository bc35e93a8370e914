"""policyfeed.normalize"""
