"""The only network I/O of policyfeed."""
