"""The legend below a picture: samples with words, flowing over as many lines as they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup

from .svg import group, label, rect

#: Draws a sample with its upper left corner at a point.
Sample = Callable[[float, float], Markup]


def legend(items: Iterable[tuple[Sample, float, str]], width: float, top: float) -> tuple[Markup, float]:
    """Items are a sample, its width in pixels, and words. Returns the legend and the pixel below it."""
    x, y = 4.0, top
    parts = []
    for drawn, wide, words in items:
        size = 6.1 * len(words) + wide + 20
        if x + size > width and x > 4:
            x, y = 4.0, y + 20
        parts += [drawn(x, y), label(x + wide + 6, y + 12, words, "t")]
        x += size
    return group(*parts), y + 22


def swatch(fill: str, x: float, y: float) -> Markup:
    """A small rectangle of one fill."""
    return rect(x, y + 2, 16, 11, "swatch", fill)
