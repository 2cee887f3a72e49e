"""A clock as a line of days: from its start to its stop or to now, with what was said and asked on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from kholo.model import Clock, EntryKind

from ..axis import Scale
from ..dates import ordinal
from ..language import Language
from ..rows import CasePage, ClockRow, EntryRow
from ..svg import group, label, line, number, rect, tag

SAID = frozenset(
    {EntryKind.STATEMENT, EntryKind.DENIAL, EntryKind.ADMISSION, EntryKind.JUSTIFICATION, EntryKind.ANSWER}
)
ASKED = frozenset(
    {EntryKind.ORDER, EntryKind.CONTEMPT, EntryKind.LETTER, EntryKind.QUESTION, EntryKind.HEARING, EntryKind.FILING,
     EntryKind.CIVIL_SOCIETY}
)  # fmt: skip
_WIDTH, _LEFT, _RIGHT = 300.0, 8.0, 288.0


class Marks(msgspec.Struct, frozen=True):
    """The entries on a clock's line, oldest first: what was said in public, and what was asked, ordered or filed."""

    said: tuple[EntryRow, ...]
    asked: tuple[EntryRow, ...]


class ClockLine(msgspec.Struct, frozen=True):
    """The drawing with the entries marked on it."""

    picture: Markup
    marks: Marks


def marks_on(clock: Clock, entries: Sequence[EntryRow], until: float) -> Marks:
    """The entries whose first possible day lies on the line; `until` (days, `dates.ordinal`) is where it ends."""
    first = ordinal(clock.started.date())
    on = [row for row in entries if first <= ordinal(row.entry.earliest) <= until and row.entry.id != clock.entry_id]
    return Marks(
        tuple(row for row in on if row.entry.kind in SAID), tuple(row for row in on if row.entry.kind in ASKED)
    )


def clock_line(page: CasePage, row: ClockRow, language: Language) -> ClockLine:
    """One clock. Its table is the list of its marks, or the chronology of the case."""
    clock, as_of = row.clock, page.view.as_of
    key = _key(page.view.case.id, clock)
    end = clock.stopped or max(as_of, clock.started)
    first, last = ordinal(clock.started), max(ordinal(end), ordinal(clock.started) + 1)
    scale = Scale(first, last, _LEFT, _RIGHT)
    marks = marks_on(clock, page.entries, ordinal(end))
    title = language.say("{days} {unit}", days=clock.days, unit=row.unit)
    if page.view.simulated:
        title = language.say("Simulated data. {text}", text=title)
    stop = label(_RIGHT + 4, 58, _end(clock, language), "t axis", "end")
    picture = tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        tag("desc", _desc(clock, marks, language), id=f"{key}-desc"),
        rect(_LEFT, 24, max(2.0, scale.x(end) - _LEFT), 6, "ran" if clock.stopped else "run"),
        line(_LEFT, 18, _LEFT, 36, "whisker"),
        _stop(clock, scale.x(end)),
        *_due(clock, scale),
        _signs(marks.said, scale, 21, up=True),
        _signs(marks.asked, scale, 33, up=False),
        label(_LEFT - 4, 58, language.short_day(clock.started), "t axis"),
        stop,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:.0f} 62",
        class_="clockline",
        role="img",
        lang=language.code,
        aria_labelledby=f"{key}-title {key}-desc",
    )
    return ClockLine(picture, marks)


def _key(case: str, clock: Clock) -> str:
    """Parts the ids of one clock from those of every other on a page."""
    text = "\n".join((case, clock.clock, clock.entry_id, clock.network or "", clock.started.isoformat()))
    return f"k{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def _end(clock: Clock, language: Language) -> str:
    return language.short_day(clock.stopped) if clock.stopped else language.say("still running")


def _desc(clock: Clock, marks: Marks, language: Language) -> str:
    where = (
        language.say("A line of days from {first} to {last}", first=clock.started.date(), last=clock.stopped.date())
        if clock.stopped
        else language.say("A line of days from {first} on, still running", first=clock.started.date())
    )
    said = language.many("{n} statement", "{n} statements", len(marks.said))
    asked = language.many("{n} order, letter or filing", "{n} orders, letters or filings", len(marks.asked))
    return language.say("{where}; on it {said} and {asked}.", where=where, said=said, asked=asked)


def _stop(clock: Clock, x: float) -> Markup:
    if clock.stopped:
        return line(x, 18, x, 36, "whisker")
    return tag("path", d=f"M{number(x + 1)} 19l8 8l-8 8", class_="whisker")


def _due(clock: Clock, scale: Scale) -> list[Markup]:
    if clock.due is None or not scale.holds(clock.due):
        return []
    return [line(scale.x(clock.due), 14, scale.x(clock.due), 40, "due")]


def _signs(rows: Sequence[EntryRow], scale: Scale, y: float, *, up: bool) -> Markup:
    """Triangles above the line for what was said, diamonds below it for what was asked."""
    at = sorted({round(scale.x(row.entry.earliest), 1) for row in rows})
    shape = "l-5 -9h10z" if up else "l4.5 5l-4.5 5l-4.5 -5z"
    data = "".join(f"M{number(x)} {number(y)}{shape}" for x in at)
    return tag("path", d=data, class_="said" if up else "asked") if data else group()
