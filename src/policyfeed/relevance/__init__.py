"""Relevance: article × topics → verdict, with its reasons. Pure; which subjects matter is written in the topics' files.

``rules`` and ``reading`` hold and read the files; ``text``, ``terms`` and ``matching`` find terms; ``evidence`` and
``verdict`` decide; ``checking``, ``evaluate``, ``suggest`` and ``train`` are for those who write topics.
"""

from __future__ import annotations

from policyfeed.relevance.checking import Finding, check_topics
from policyfeed.relevance.reading import load_topics
from policyfeed.relevance.rules import Rules, Topic
from policyfeed.relevance.verdict import Judge, judge_text

__all__ = ["Finding", "Judge", "Rules", "Topic", "check_topics", "judge_text", "load_topics"]
