"""Curves over time, or whatever else goes on, as one SVG file: small panels below each other, no library.

Rule: every panel begins at zero, so that what looks flat is flat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _GAP, _LEFT, _TOP = 760, 92, 34, 64, 40
_COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777")
_POINTS = 400


@dataclass(frozen=True, slots=True)
class Panel:
    """`lines` are named curves of (seconds, value); in place of seconds may be what `along` of the picture names."""

    title: str
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]]


def svg(title: str, panels: Sequence[Panel], along: Callable[[float], str] | None = None) -> str:
    """`along` says in words how far along a curve is."""
    longest = max((x for panel in panels for _, points in panel.lines for x, _ in points), default=1.0) or 1.0
    height = _TOP + len(panels) * (_HEIGHT + _GAP) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 16} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14" fill="#111827">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_HEIGHT + _GAP), longest, along or _time)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, top: float, longest: float, along: Callable[[float], str]) -> list[str]:
    highest = max((y for _, points in panel.lines for _, y in points), default=0.0) or 1.0
    bottom = top + _HEIGHT
    parts = [f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#d1d5db"/>']
    x = _LEFT
    names = [name for name, _ in panel.lines]
    parts.append(f'<text x="{x}" y="{top - 6}" fill="#374151">{escape(panel.title)}</text>')
    x += 8 * len(panel.title) + 16
    for name, colour in zip(names, _COLOURS, strict=False):
        if name:
            parts.append(f'<text x="{x}" y="{top - 6}" fill="{colour}">{escape(name)}</text>')
            x += 8 * len(name) + 16
    for value, y in ((highest, top + 10), (0.0, bottom)):
        parts.append(f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end" fill="#6b7280">{value:.4g}</text>')
    for seconds in (0.0, longest / 2, longest):
        at = _LEFT + seconds / longest * _WIDTH
        anchor = "start" if seconds == 0 else "end" if seconds == longest else "middle"
        where = f'x="{at:.0f}" y="{bottom + 14}" text-anchor="{anchor}"'
        parts.append(f'<text {where} fill="#6b7280">{along(seconds)}</text>')
    for (_, points), colour in zip(panel.lines, _COLOURS, strict=False):
        drawn = " ".join(
            f"{_LEFT + x / longest * _WIDTH:.1f},{bottom - y / highest * _HEIGHT:.1f}" for x, y in _thinned(points)
        )
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    return parts


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of many, the highest in each stretch: a peak must not be thinned away."""
    step = max(1, -(-len(points) // _POINTS))
    return [max(points[at : at + step], key=lambda point: point[1]) for at in range(0, len(points), step)]


def _time(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:.3g} s"
