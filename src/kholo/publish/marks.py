"""Entries of the record as numbered marks on lanes, stacked where they would cover each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

from kholo.model import Entry, Outcome

from .axis import Scale
from .language import Language
from .svg import group, label, line, rect, tag
from .told import recorded
from .words import KIND, OUTCOME

HEIGHT = 16.0
LEVEL = 19.0
_MOST_LEVELS = 12


class Mark(msgspec.Struct, frozen=True):
    """One entry with its number in the chronology, its fragment, and how it was assessed (None: not)."""

    number: int
    anchor: str
    entry: Entry
    outcome: Outcome | None


def lane(marks: Sequence[Mark], scale: Scale, top: float, language: Language) -> tuple[Markup, float]:
    """The marks of one lane from `top` down, and the height they took."""
    placed = _levels(marks, scale, language)
    drawn = [_drawn(mark, scale, left, top + level * LEVEL, language) for mark, left, level in placed]
    levels = 1 + max((level for _, _, level in placed), default=0)
    return group(*drawn), levels * LEVEL


def _text(mark: Mark, scale: Scale, language: Language) -> str:
    symbol = f" {OUTCOME[mark.outcome][0]}" if mark.outcome else ""
    before = "←" if mark.entry.latest.toordinal() < scale.first else ""
    after = "→" if mark.entry.earliest.toordinal() > scale.last else ""
    return f"{before}{language.number(mark.number)}{symbol}{after}"


def _width(text: str) -> float:
    return 8.0 + 6.6 * len(text)


def _levels(marks: Sequence[Mark], scale: Scale, language: Language) -> list[tuple[Mark, float, int]]:
    """Each mark with its left edge and the first level where it touches no other."""
    free: list[float] = []
    out: list[tuple[Mark, float, int]] = []
    for mark in sorted(marks, key=lambda one: (one.entry.earliest, one.number)):
        width = _width(_text(mark, scale, language))
        centre = (scale.x(mark.entry.earliest) + scale.x(mark.entry.latest)) / 2
        left = min(max(scale.left, centre - width / 2), scale.right - width)
        level = next((n for n, edge in enumerate(free) if edge <= left), len(free))
        if level == len(free) and level < _MOST_LEVELS:
            free.append(0.0)
        level = min(level, _MOST_LEVELS - 1)
        free[level] = left + width + 2
        out.append((mark, left, level))
    return out


def _drawn(mark: Mark, scale: Scale, left: float, top: float, language: Language) -> Markup:
    text = _text(mark, scale, language)
    width = _width(text)
    entry = mark.entry
    look = mark.outcome.value if mark.outcome else "plain"
    words = escape(language.say("{number}. {when}: {kind}: {title}")).format(
        number=language.number(mark.number),
        when=language.either(entry.earliest, entry.latest),
        kind=language.say(KIND[entry.kind]),
        title=recorded(entry.title, language),
    )
    if mark.outcome:
        words += f" ({language.say(OUTCOME[mark.outcome][1])})"
    spread = Markup("")
    if entry.earliest != entry.latest:
        y = top + HEIGHT + 1
        spread = line(scale.x(entry.earliest), y, scale.x(entry.latest), y, "whisker")
    return group(
        spread,
        tag(
            "a",
            tag("title", words),
            rect(left, top, width, HEIGHT, f"mark {look}"),
            label(left + width / 2, top + 12, text, f"mt {look}", "middle"),
            href=f"#{mark.anchor}",
        ),
    )
