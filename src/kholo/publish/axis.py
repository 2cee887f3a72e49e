"""The time axis: days to pixels, and where the ticks stand."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from .dates import ordinal
from .language import Language
from .view import CaseView


class Scale(msgspec.Struct, frozen=True):
    """Maps days (`dates.ordinal`) from `first` to `last` onto pixels from `left` to `right`."""

    first: float
    last: float
    left: float
    right: float

    def x(self, value: date | datetime | float) -> float:
        """The pixel of a moment; what lies outside is put at the edge."""
        days = value if isinstance(value, float) else ordinal(value)
        part = (days - self.first) / (self.last - self.first)
        return self.left + min(1.0, max(0.0, part)) * (self.right - self.left)

    def holds(self, value: date | datetime) -> bool:
        """Whether a moment lies on the axis."""
        return self.first <= ordinal(value) <= self.last


def scale_for(view: CaseView, left: float, right: float) -> Scale:
    """The case's window and its incidents, with a little room at both ends."""
    first, last = (ordinal(edge) for edge in view.window)
    last += 1
    for row in view.incidents:
        first = min(first, ordinal(row.onset.earliest))
        last = max(last, ordinal(row.end.latest if row.end else row.last_seen))
    room = max(2.0, (last - first) * 0.03)
    return Scale(first - room, last + room, left, right)


class Tick(msgspec.Struct, frozen=True):
    """A mark on the axis, in pixels, with its words."""

    x: float
    text: str


def ticks(scale: Scale, apart: float, language: Language) -> list[Tick]:
    """Ticks at round dates, at least `apart` pixels from each other."""
    pixels = (scale.right - scale.left) / (scale.last - scale.first)
    wanted = apart / pixels
    if wanted < 16:
        return _day_ticks(scale, max(1, int(wanted) + 1), language)
    months = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120, 600) if step * 30.4 >= wanted), 6_000)
    return _month_ticks(scale, months, language)


def _day_ticks(scale: Scale, step: int, language: Language) -> list[Tick]:
    start = int(scale.first) + 1
    out = []
    for number in range(start, int(scale.last) + 1, step):
        at = date.fromordinal(min(number, date.max.toordinal()))
        out.append(Tick(scale.x(float(number)), language.digits(f"{at.day} {language.short_month(at.month)}")))
    return out


def _month_ticks(scale: Scale, step: int, language: Language) -> list[Tick]:
    first = date.fromordinal(max(1, int(scale.first)))
    last = date.fromordinal(min(int(scale.last), date.max.toordinal()))
    out = []
    low, high = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    for number in range(-(-low // step) * step, high + 1, step):
        at = date(number // 12, number % 12 + 1, 1)
        if scale.holds(at):
            text = str(at.year) if step >= 12 else f"{language.short_month(at.month)} {at.year}"
            out.append(Tick(scale.x(at), language.digits(text)))
    return out
