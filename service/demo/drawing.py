"""Digits in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

SHADES = " ░▒▓█"
SIDE = 8
DARKEST = 16


def draw(pixels: Sequence[float]) -> list[str]:
    """The lines of an 8x8 digit; a pixel is two characters wide, so that it looks square."""
    shades = [SHADES[round(value / DARKEST * (len(SHADES) - 1))] * 2 for value in pixels]
    return ["".join(shades[start : start + SIDE]) for start in range(0, SIDE * SIDE, SIDE)]


def side_by_side(pictures: Sequence[Sequence[float]], captions: Sequence[str]) -> str:
    """Several digits in a row, each over its caption."""
    drawn = [draw(picture) for picture in pictures]
    width = 2 * SIDE
    lines = ["  ".join(parts) for parts in zip(*drawn, strict=True)]
    lines.append("  ".join(caption.center(width) for caption in captions))
    return "\n".join(lines)
