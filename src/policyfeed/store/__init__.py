"""policyfeed.store"""
