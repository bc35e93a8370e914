"""Evidence → verdict: a calibrated score, and reasons whose points add up to it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from policyfeed.relevance.case import Case, case_of, text_case
from policyfeed.relevance.evidence import Evidence, Gatherer
from policyfeed.relevance.rules import Rules, Zone
from policyfeed.types import Article, Kind, Reason, Verdict

HOME = 0.5
"""What a ministry's own topic gains, so that it comes first among equals; about a weak term in a title."""


class Judge:
    """Judges articles under one set of rules. Building it costs milliseconds; ``judge`` keeps no state."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._gatherer = Gatherer(rules)
        self._pillar_of = {topic.id: topic.pillar for topic in rules.topics}
        shares = {pillar.id: pillar.topic_share for pillar in rules.pillars}
        self._share_of = {topic.id: shares[topic.pillar] or rules.settings.topic_share for topic in rules.topics}
        self._alert_of = {topic.id: topic.alert for topic in rules.topics}

    def judge(self, article: Article) -> Verdict:
        """The verdict on an article, from its title, summary and content (HTML)."""
        return self.judge_case(case_of(article, self.rules.settings.lead_chars))

    def judge_case(self, case: Case) -> Verdict:
        evidence = self._gatherer.gather(case)
        amounts = [one.amount(self.rules.model.corrections) for one in evidence]
        base, slope = self._base(), self.rules.model.slope
        score = round(100.0 * sigmoid(base + slope * math.fsum(amounts)), 2)
        topics = self._topics(evidence)
        kept = score >= self.rules.settings.keep
        return Verdict(
            kept=kept,
            alert=kept and self._alerts(evidence, score),
            score=score,
            topics=topics,
            pillars=self.pillars(topics),
            reasons=_reasons(evidence, points(base, [slope * amount for amount in amounts], score)),
            rule_version=self.rules.version,
        )

    def log_odds(self, case: Case) -> float:
        """The calibrated log-odds that the case is relevant."""
        amounts = (one.amount(self.rules.model.corrections) for one in self._gatherer.gather(case))
        return self._base() + self.rules.model.slope * math.fsum(amounts)

    def evidence_of_title(self, title: str) -> tuple[Evidence, ...]:
        """The evidence of a bare title."""
        return self._gatherer.gather(text_case(self.rules, title=title))

    def _base(self) -> float:
        model = self.rules.model
        prior = self.rules.settings.base + model.corrections.get("base", 0.0)
        return model.intercept + model.slope * prior

    def _topics(self, evidence: Sequence[Evidence]) -> tuple[str, ...]:
        weights = _weights(evidence, self.rules.settings.background)
        best = max(weights.values(), default=0.0)
        return tuple(topic for topic, weight in weights.items() if weight >= best * self._share_of[topic])[:4]

    def pillars(self, topics: Iterable[str]) -> tuple[str, ...]:
        """The pillars of topics, in their own order; a topic that nobody knows has none."""
        present = {self._pillar_of.get(topic) for topic in topics}
        return tuple(pillar.id for pillar in self.rules.pillars if pillar.id in present)

    def _alerts(self, evidence: Sequence[Evidence], score: float) -> bool:
        settings = self.rules.settings
        # How something is done (단속, 제재) is what makes it urgent: here the background counts in full.
        subject = next(iter(_weights(evidence, 1.0)), "")
        urgent = sum(one.alert for one in evidence) + self._alert_of.get(subject, 0.0)
        return score >= settings.alert and urgent >= settings.alert_points


def judge_text(
    judge: Judge,
    *,
    title: str,
    lead: str = "",
    body: str = "",
    ministry: str = "",
    kind: Kind = Kind.PRESS_RELEASE,
) -> Verdict:
    """The verdict on plain texts, for ``classify``, ``explain`` and evaluation. ``ministry`` is a name or an id."""
    return judge.judge_case(text_case(judge.rules, title=title, lead=lead, body=body, ministry=ministry, kind=kind))


def sigmoid(log_odds: float) -> float:
    """The probability of some log-odds, without overflow."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def points(base: float, amounts: Sequence[float], score: float) -> list[float]:
    """Each amount's share of the score, the base's first; in hundredths, so that they add up exactly.

    The score is curved in the log-odds, the evidence adds up in them. Each amount gets the mean slope of the curve
    between base and result (the Aumann-Shapley value of a sum: the only shares that are additive, keep their signs and
    do not depend on an order). What rounding leaves goes to the largest share.
    """
    start = 100.0 * sigmoid(base)
    change = math.fsum(amounts)
    mean_slope = (100.0 * sigmoid(base + change) - start) / change if abs(change) > 1e-9 else start * (1 - start / 100)
    hundredths = [round(100 * start), *(round(100 * mean_slope * amount) for amount in amounts)]
    largest = max(range(len(hundredths)), key=lambda index: abs(hundredths[index]))
    hundredths[largest] += round(100 * score) - sum(hundredths)
    return [one / 100 for one in hundredths]


def _weights(evidence: Iterable[Evidence], background: float) -> dict[str, float]:
    """What speaks for each topic, strongest first; of background terms, this part. Without terms, the ministry's."""
    weights: dict[str, float] = {}
    home = ""
    for one in evidence:
        if one.rule == "ministry":
            home = one.topic
        elif one.topic and one.zone is not Zone.BODY:
            weight = one.weight * (background if one.background else 1.0)
            weights[one.topic] = weights.get(one.topic, 0.0) + weight
    if home and (home in weights or not weights):
        weights[home] = weights.get(home, 0.0) + HOME
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def _reasons(evidence: Sequence[Evidence], shares: Sequence[float]) -> tuple[Reason, ...]:
    told = [Reason(rule="base", points=shares[0])]
    for one, share in zip(evidence, shares[1:], strict=True):
        if share or one.alert:
            told.append(
                Reason(rule=one.rule, points=share, topic=one.topic, term=one.term, field=one.field, offset=one.offset)
            )
    return tuple(sorted(told, key=lambda reason: -abs(reason.points)))
