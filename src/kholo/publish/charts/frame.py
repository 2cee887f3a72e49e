"""What every chart has: pictures for a screen and a phone, words for who can't see them, and the table behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from markupsafe import Markup

from ..language import Language
from ..safe import cell
from ..svg import label, tag
from ..told import plain

#: Rows of the table behind a chart before the rest is left to the data.
MOST_ROWS = 400


class Size(msgspec.Struct, frozen=True):
    """One of the drawings of a chart: its class, the letter in its ids, its width in pixels."""

    name: str
    letter: str
    width: float

    @property
    def is_wide(self) -> bool:
        """Whether there is room for labels beside the rows."""
        return self.letter == "w"


WIDE, COMPACT = Size("wide", "w", 720.0), Size("compact", "c", 320.0)


class Chart(msgspec.Struct, frozen=True):
    """A chart and the table that it was drawn from. Without a picture the table stands for itself.

    `pictures` are the same for a wide and a narrow screen. `head` and `rows` are the table, `more` the rows that it
    leaves to the data, `csv` the file of the case that holds them.
    """

    title: str
    caption: str
    pictures: tuple[Markup, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str
    more: int = 0


class Invented(Protocol):
    """What a chart is of: a case, or what stands in none."""

    @property
    def simulated(self) -> bool:
        """Whether any of it is invented: then the picture says so."""


#: Draws all below the first line: from a size, the prefix of ids and the pixel to begin at; gives the pixel below.
Draw = Callable[[Size, str, float], tuple[list[Markup], float]]


def pictures(key: str, title: str, desc: str, view: Invented, language: Language, draw: Draw) -> tuple[Markup, ...]:
    """The chart at both sizes. `key` parts its ids from those of other charts on the page."""
    return tuple(_picture(size, f"{key}{size.letter}", title, desc, view, language, draw) for size in (WIDE, COMPACT))


def _picture(size: Size, prefix: str, title: str, desc: str, view: Invented, language: Language, draw: Draw) -> Markup:
    head, top = [], 4.0
    if view.simulated:
        head = [label(4, 16, language.say("SIMULATED DATA. Nothing here happened."), "sim")]
        top = 24.0
    parts, bottom = draw(size, prefix, top)
    return tag(
        "svg",
        tag("title", plain(title, language), id=f"{prefix}-title"),
        tag("desc", plain(desc, language), id=f"{prefix}-desc"),
        *head,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {size.width:.0f} {bottom:.0f}",
        class_=f"chart {size.name}",
        role="img",
        lang=language.code,
        aria_labelledby=f"{prefix}-title {prefix}-desc",
    )


def named(*names: str) -> Markup:
    """Names in a cell of the table: no words of ours, and no formula."""
    return tag("bdi", cell(" ".join(filter(None, names))), translate="no")


def clipped(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
