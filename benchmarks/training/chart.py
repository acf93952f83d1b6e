"""Line charts as SVG, with both axes from zero: what grows linearly lies on a ray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 480, 300, 56, 44, 28, 16


def chart(title: str, across: str, up: str, lines: Mapping[str, Points]) -> str:
    """An SVG document: one line with dots for each name, a dashed ray through its last point."""
    most_x = max(x for points in lines.values() for x, _ in points)
    most_y = max(y for points in lines.values() for _, y in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 16, title, "middle", "13"),
        _text(_WIDTH / 2, _HEIGHT - 6, across, "middle"),
        f'<g transform="rotate(-90)">{_text(-_HEIGHT / 2, 12, up, "middle")}</g>',
        *_axes(most_x, most_y),
    ]
    for place, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        at = [(_x(x, most_x), _y(y, most_y)) for x, y in points]
        parts += _line(at, colour)
        parts.append(_text(_LEFT + 10, _TOP + 14 * (place + 1), name, "start", fill=colour))
    return "\n".join([*parts, "</svg>", ""])


def _line(at: Points, colour: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    x, y = at[-1]
    ray = f'x1="{_x(0, 1):.1f}" y1="{_y(0, 1):.1f}" x2="{x:.1f}" y2="{y:.1f}"'
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at)
    return [
        f'<line {ray} stroke="{colour}" stroke-dasharray="3 4" opacity=".5"/>',
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
        *dots,
    ]


def _axes(most_x: float, most_y: float) -> list[str]:
    left, bottom = _x(0, 1), _y(0, 1)
    right, top = _x(1, 1), _y(1, 1)
    parts = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="black"/>']
    for share in (0.25, 0.5, 0.75, 1.0):
        x, y = _x(share, 1), _y(share, 1)
        parts.append(_text(x, bottom + 14, f"{share * most_x:.4g}", "middle"))
        parts.append(_text(left - 5, y + 4, f"{share * most_y:.3g}", "end"))
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>')
    return parts


def _text(
    x: float, y: float, words: str, anchor: str, size: str = "11", fill: str = "black"
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}"'
    return f"<text {place}>{escape(words)}</text>"


def _x(value: float, most: float) -> float:
    return _LEFT + value / most * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - value / most * (_HEIGHT - _BOTTOM - _TOP)
