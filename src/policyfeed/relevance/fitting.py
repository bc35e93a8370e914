"""Logistic regression around a prior: what the editors wrote is the start, labelled articles pull away from it.

Coordinate descent with one Newton step a coefficient (as in liblinear's primal solvers), over sparse rows, in a fixed
order and without chance: the same input gives the same coefficients. A few thousand rows take seconds; nothing else in
the project needs a numerical library, so this does not bring one in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from policyfeed.relevance.verdict import sigmoid


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled case: ``prior`` is the log-odds that the rules give it, ``features`` the corrections' factors."""

    prior: float
    features: Mapping[str, float]
    relevant: bool
    weight: float = 1.0


@dataclass(slots=True)
class _Column:
    rows: list[int]
    values: list[float]


def fit(
    rows: Sequence[Row], penalty: Callable[[str], float], *, rounds: int = 60, tolerance: float = 1e-3
) -> dict[str, float]:
    """Coefficients by name; ``penalty`` gives the weight that holds a name's coefficient near zero (L2)."""
    columns = _columns(rows)
    odds = [row.prior for row in rows]
    coefficients = dict.fromkeys(columns, 0.0)
    for _ in range(rounds):
        largest = 0.0
        for name, column in columns.items():
            step = _step(rows, odds, column, coefficients[name], penalty(name))
            coefficients[name] += step
            for place, value in zip(column.rows, column.values, strict=True):
                odds[place] += step * value
            largest = max(largest, abs(step))
        if largest < tolerance:
            break
    return coefficients


def _columns(rows: Sequence[Row]) -> dict[str, _Column]:
    columns: dict[str, _Column] = {}
    for place, row in enumerate(rows):
        for name, value in row.features.items():
            if value:
                column = columns.setdefault(name, _Column([], []))
                column.rows.append(place)
                column.values.append(value)
    return dict(sorted(columns.items()))


def _step(rows: Sequence[Row], odds: Sequence[float], column: _Column, present: float, penalty: float) -> float:
    slope = penalty * present
    curve = penalty
    for place, value in zip(column.rows, column.values, strict=True):
        row = rows[place]
        chance = sigmoid(odds[place])
        slope += row.weight * value * (chance - row.relevant)
        curve += row.weight * value * value * chance * (1.0 - chance)
    return max(-1.0, min(1.0, -slope / max(curve, 1e-6)))


def log_odds(row: Row, coefficients: Mapping[str, float]) -> float:
    """What the fitted model says of a row."""
    return row.prior + math.fsum(coefficients.get(name, 0.0) * value for name, value in row.features.items())
