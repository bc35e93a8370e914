"""``python -m policyfeed``."""

from policyfeed.cli import main

main()
