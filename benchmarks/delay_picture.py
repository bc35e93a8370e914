"""The picture of the replay, as SVG: who waits how long, and polls over the week against releases over the week."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Protocol

from policyfeed.rhythm.calendar import KST

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 330, 60, 40, 40
COLOURS = ("#0b6e4f", "#5bb98c", "#999999", "#c77d11", "#8a4fbe", "#c0392b")
TICKS = ((5, "5 s"), (30, "30 s"), (60, "1 min"), (300, "5 min"), (900, "15 min"), (3600, "1 h"), (14400, "4 h"))
HOURS = 168
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


class Row(Protocol):
    """One plan's outcome: delays in seconds, polls in seconds since the epoch."""

    @property
    def polls(self) -> int: ...
    @property
    def plan(self) -> str: ...
    @property
    def delays(self) -> list[float]: ...
    @property
    def moments(self) -> list[float]: ...


def draw(rows: Sequence[Row], releases: list[float]) -> str:
    """Both panels, for the middle one of the budgets."""
    budgets = sorted({row.polls for row in rows})
    shown = [row for row in rows if row.polls == budgets[len(budgets) // 2]]
    parts = [*_shares(shown), *_week(shown[0], releases, HEIGHT + 30)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * HEIGHT + 40}" font-family="sans-serif" '
        'font-size="12">\n<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _shares(rows: Sequence[Row]) -> list[str]:
    """Share of releases seen within a time, the time on a logarithmic axis."""
    ticks = len(TICKS) - 1
    parts = [_text(LEFT, 20, f"Share of releases seen within …, {rows[0].polls} polls a day and source", 14)]
    for index, (_, name) in enumerate(TICKS):
        x = LEFT + (WIDTH - 250 - LEFT) * index / ticks
        parts += [_line(x, TOP, x, HEIGHT - BOTTOM), _text(x - 12, HEIGHT - BOTTOM + 18, name)]
    for share in (0, 25, 50, 75, 100):
        y = _up(share / 100)
        parts += [_line(LEFT, y, WIDTH - 250, y), _text(22, y + 4, f"{share} %")]
    for index, row in enumerate(rows):
        parts.append(_curve(row, COLOURS[index % len(COLOURS)]))
        parts.append(_text(WIDTH - 235, TOP + 14 + 20 * index, row.plan, 12, COLOURS[index % len(COLOURS)]))
    return parts


def _curve(row: Row, colour: str) -> str:
    ordered, points = sorted(row.delays), []
    for step in range(12 * (len(TICKS) - 1) + 1):
        whole, part = min(step // 12, len(TICKS) - 2), step / 12 - min(step // 12, len(TICKS) - 2)
        near, far = TICKS[whole][0], TICKS[whole + 1][0]
        seconds = near * (far / near) ** part
        x = LEFT + (WIDTH - 250 - LEFT) * (whole + part) / (len(TICKS) - 1)
        points.append(f"{x:.1f},{_up(bisect.bisect_right(ordered, seconds) / len(ordered)):.1f}")
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(points)}"/>'


def _week(row: Row, releases: list[float], top: float) -> list[str]:
    """Each hour's share of the releases (bars) and of our polls (line)."""
    out, polls = _by_hour(releases), _by_hour(row.moments)
    highest, step = max(*out, *polls), (WIDTH - LEFT - 20) / HOURS
    title = "Share of the week's releases (bars) and polls (line) in every hour, KST"
    parts = [_text(LEFT, top + 20, title, 14)]
    foot = top + HEIGHT - BOTTOM
    for hour, share in enumerate(out):
        tall = share / highest * (HEIGHT - TOP - BOTTOM)
        x = LEFT + hour * step
        parts.append(f'<rect x="{x:.1f}" y="{foot - tall:.1f}" width="{step:.1f}" height="{tall:.1f}" fill="#b8d8c8"/>')
    line = " ".join(
        f"{LEFT + (hour + 0.5) * step:.1f},{foot - share / highest * (HEIGHT - TOP - BOTTOM):.1f}"
        for hour, share in enumerate(polls)
    )
    parts.append(f'<polyline fill="none" stroke="{COLOURS[0]}" stroke-width="1.5" points="{line}"/>')
    parts += [_line(LEFT + 24 * day * step, top + TOP, LEFT + 24 * day * step, foot) for day in range(8)]
    parts += [_text(LEFT + (24 * day + 9) * step, foot + 18, name) for day, name in enumerate(DAYS)]
    return parts


def _by_hour(times: list[float]) -> list[float]:
    shares = [0.0] * HOURS
    for time in times:
        local = datetime.fromtimestamp(time, UTC).astimezone(KST)
        shares[local.weekday() * 24 + local.hour] += 1 / len(times)
    return shares


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, size: int = 12, colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
