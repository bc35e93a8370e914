"""Checks topics by their own examples, and finds terms that can never count or speak for two topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from policyfeed.naming import rule_name
from policyfeed.relevance.evidence import Evidence
from policyfeed.relevance.genres import trials
from policyfeed.relevance.rules import Place, Rules, Term, Topic
from policyfeed.relevance.terms import needles
from policyfeed.relevance.verdict import Judge, judge_text
from policyfeed.types import Reason


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend. ``message`` is a template for the facts ``topic``, ``term``, ``detail`` and ``score``; where
    ``detail`` is empty, the strongest reasons of the verdict stand for it.
    """

    severity: Severity
    place: Place
    topic: str
    term: str
    message: str
    detail: str = ""
    score: float = 0.0
    reasons: tuple[Reason, ...] = ()

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The message with its place; ``translate`` maps the English template to the reader's language."""
        detail = self.detail or ", ".join(
            f"{reason.term or rule_name(reason.rule, translate)} {reason.points:+.1f}" for reason in self.reasons
        )
        said = translate(self.message).format(topic=self.topic, term=self.term, detail=detail, score=self.score)
        return f"{self.place.file}:{self.place.line}: {said}"


def check_topics(rules: Rules) -> tuple[Finding, ...]:
    """Everything to mend: failed examples (errors), then dead and doubled terms (warnings)."""
    judge = Judge(rules)
    return (
        *(finding for topic in rules.topics for finding in _examples(judge, topic)),
        *(finding for topic in rules.topics for finding in _dead(judge, topic)),
        *_signs(rules),
        *_doubled(rules),
        *(finding for topic in rules.topics for finding in _empty(topic)),
    )


def check_patterns(rules: Rules, takes_long: Callable[[str, str], bool]) -> Iterator[Finding]:
    """Patterns for which one title is enough to make every document with it too expensive to read.

    ``takes_long`` seeks a pattern in a title, and gives up in time.
    """
    for genre in rules.genres:
        for pattern in genre.patterns:
            if slow := next((title for title in trials(pattern) if takes_long(pattern, title)), ""):
                yield Finding(
                    severity=Severity.WARNING,
                    place=genre.place,
                    topic=genre.id,
                    term=pattern,
                    message="the pattern “{term}” of {topic} takes far too long on a title like “{detail}…”",
                    detail=slow[:20],
                )


def _examples(judge: Judge, topic: Topic) -> Iterator[Finding]:
    for example in topic.examples:
        verdict = judge_text(judge, title=example.title, lead=example.lead, ministry=example.ministry)
        wrong = verdict.kept is not example.keep
        elsewhere = example.keep and example.topic not in verdict.topics
        if not wrong and not elsewhere:
            continue
        message = (
            "the example “{term}” of {topic} is kept, but should be dropped (score {score:.0f}: {detail})"
            if wrong and not example.keep
            else "the example “{term}” of {topic} is dropped, but should be kept (score {score:.0f}: {detail})"
            if wrong
            else "the example “{term}” of {topic} is kept for other topics ({detail})"
        )
        yield Finding(
            severity=Severity.ERROR,
            place=example.place,
            topic=example.topic,
            term=example.title,
            message=message,
            detail="" if wrong else ", ".join(verdict.topics),
            score=verdict.score,
            reasons=verdict.reasons[:5],
        )


def _dead(judge: Judge, topic: Topic) -> Iterator[Finding]:
    """A term that does not count even when it is the whole title is hidden by a mask or a longer term."""
    for term in topic.terms:
        title = " ".join(part.strip().strip("|*") for part in term.text.split("+"))
        if not any(_shows(one, term) for one in judge.evidence_of_title(title)):
            yield Finding(
                severity=Severity.WARNING,
                place=term.place,
                topic=topic.id,
                term=term.text,
                message="the term “{term}” of {topic} can never count: a mask or a longer term hides it",
            )


def _signs(rules: Rules) -> Iterator[Finding]:
    """Terms, masks and genres' terms with a sign where it is none, but a letter that no text has."""
    written = [(one.text, one.topic or one.place.file, one.place) for one in rules.sought]
    written += [(text, genre.id, genre.place) for genre in rules.genres for text in genre.terms]
    for text, owner, place in written:
        if any(sign in needle.text for needle in needles(text) for sign in "|*"):
            yield Finding(
                severity=Severity.WARNING,
                place=place,
                topic=owner,
                term=text,
                message="the term “{term}” of {topic} can never count: | and * are signs only at its ends",
            )


def _shows(one: Evidence, term: Term) -> bool:
    return one.term == term.text and one.topic == term.topic


def _doubled(rules: Rules) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], list[Term]] = defaultdict(list)
    for topic in rules.topics:
        for term in topic.terms:
            seen[tuple(needle.text for needle in needles(term.text))].append(term)
    for terms in seen.values():
        for term in terms[1:]:
            within = term.topic == terms[0].topic
            if not within and _explained(rules, terms[0], term):
                continue
            yield Finding(
                severity=Severity.WARNING,
                place=term.place,
                topic=term.topic,
                term=term.text,
                message="the term “{term}” of {topic} is written twice"
                if within
                else "the term “{term}” of {topic} is in {detail} too, and [shared] gives no reason",
                detail=terms[0].topic,
            )


def _explained(rules: Rules, first: Term, second: Term) -> bool:
    return any(term.text in rules.topic(term.topic).shared for term in (first, second))


def _empty(topic: Topic) -> Iterator[Finding]:
    for wanted, name in ((True, "keep"), (False, "drop")):
        if not any(example.keep is wanted for example in topic.examples):
            yield Finding(
                severity=Severity.WARNING,
                place=topic.place,
                topic=topic.id,
                term="",
                message="{topic} has no example under {detail}",
                detail=name,
            )
