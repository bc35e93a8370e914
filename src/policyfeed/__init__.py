"""policyfeed gives Korean government policy news its feed back."""

__version__ = "0.1.0"
