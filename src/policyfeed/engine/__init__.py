"""policyfeed.engine"""
