"""policyfeed.web"""
