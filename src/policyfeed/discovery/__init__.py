"""What a page offers to read: announced feeds, anchors that look like feeds, and lists of rows with links and dates.

Pure: text in, proposals out. Nothing is asked here, and nothing is believed: whoever uses a proposal reads the page
with it, or asks the address, and sees what comes.
"""

from policyfeed.discovery.boards import Proposal, propose
from policyfeed.discovery.links import Candidate, described, feed_links, guesses

__all__ = ["Candidate", "Proposal", "described", "feed_links", "guesses", "propose"]
