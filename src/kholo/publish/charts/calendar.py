"""A calendar of states: one cell a day, weeks side by side, for one network or for all that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial

import msgspec
from markupsafe import Markup

from kholo.model import DayState, Incident, State

from ..bands import fill, patterns
from ..language import Language, marked
from ..legend import Sample, legend, swatch
from ..spans import DECISIVE
from ..svg import group, label, number, tag
from ..words import STATE
from .frame import MOST_ROWS, Chart, Invented, Size, pictures

#: What a day of several networks counts as, the first that any of them has. Too little data never hides a state.
WORST = (State.BLOCKED, State.THROTTLED, State.DOWN, State.OK, State.INSUFFICIENT)
#: Years drawn, and days after the last measured one.
MOST_YEARS, AFTER = 5, 366
#: Days drawn before an incident and after it.
AROUND = 28
_WEEKDAYS = {0: marked("Mon"), 3: marked("Thu"), 6: marked("Sun")}
_NOTHING = marked("nothing measured")


class Day(msgspec.Struct, frozen=True):
    """A day with its state (None: nothing was measured), the networks that had it, and those with a decisive state."""

    day: date
    state: State | None
    hit: frozenset[str] = frozenset()
    known: int = 0


def calendar_days(days: Iterable[DayState], window: tuple[date, date]) -> list[Day]:
    """Every day of the window that is drawn, in order. A day without a row is one on which nothing was measured."""
    found: dict[date, list[DayState]] = {}
    for row in days:
        if window[0] <= row.day <= window[1]:
            found.setdefault(row.day, []).append(row)
    if not found:
        return []
    last = date.fromordinal(min(window[1].toordinal(), max(found).toordinal() + AFTER))
    first = max(window[0], date(max(1, last.year - MOST_YEARS + 1), 1, 1))
    every = (date.fromordinal(at) for at in range(first.toordinal(), last.toordinal() + 1))
    return [_worst(day, found.get(day, [])) for day in every]


def _worst(day: date, rows: Sequence[DayState]) -> Day:
    state = next((one for one in WORST if any(row.state is one for row in rows)), None)
    return Day(
        day,
        state,
        frozenset(row.network for row in rows if row.state is state),
        len({row.network for row in rows if row.state in DECISIVE}),
    )


def window_of(incident: Incident, within: tuple[date, date]) -> tuple[date, date]:
    """The days drawn for an incident: some weeks before and after it, as far as they are within these."""
    ends = incident.onset.earliest, incident.end.latest if incident.end else incident.last_seen
    first, last = (end.toordinal() for end in ends)
    begin, end = (day.toordinal() for day in within)
    return date.fromordinal(max(begin, first - AROUND)), date.fromordinal(min(end, last + AROUND))


def calendar(
    view: Invented, days: Iterable[DayState], window: tuple[date, date], title: str, key: str, language: Language
) -> Chart | None:
    """The chart; None where nothing was measured in the window. `key` parts its ids from others on the page."""
    cells = calendar_days(days, window)
    if not cells:
        return None
    rows = _rows(cells, language)
    desc = language.say("{counts}. The table below holds every stretch of days.", counts=_counts(cells, language))
    return Chart(
        title=title,
        caption=language.say(
            "One cell a day (UTC), a column a week. A day counts as the worst state that enough data shows on any"
            " network; an empty cell means that nothing was measured, not that it worked."
        ),
        pictures=pictures(key, title, desc, view, language, partial(_drawn, cells, language)),
        head=tuple(map(language.say, (marked("From, to"), marked("Days"), marked("State"), marked("Networks")))),
        rows=tuple(rows[:MOST_ROWS]),
        csv="days.csv",
        more=max(0, len(rows) - MOST_ROWS),
    )


def stretches(cells: Sequence[Day]) -> list[list[Day]]:
    """Consecutive days of one state."""
    out: list[list[Day]] = []
    for one in cells:
        if out and out[-1][-1].state is one.state:
            out[-1].append(one)
        else:
            out.append([one])
    return out


def _rows(cells: Sequence[Day], language: Language) -> list[tuple[str, ...]]:
    return [
        (
            language.stretch(rows[0].day, rows[-1].day),
            language.number(len(rows)),
            language.say(_word(rows[0].state)),
            language.number(len(frozenset().union(*(row.hit for row in rows)))),
        )
        for rows in stretches(cells)
    ]


def _word(state: State | None) -> str:
    return STATE[state] if state else _NOTHING


def _counts(cells: Sequence[Day], language: Language) -> str:
    counted = [(state, sum(one.state is state for one in cells)) for state in (*WORST, None)]
    parts = [
        language.say(
            "{state}: {days}", state=language.say(_word(state)), days=language.many("{n} day", "{n} days", days)
        )
        for state, days in counted
        if days
    ]
    return language.row(parts)


def _drawn(cells: Sequence[Day], language: Language, size: Size, prefix: str, top: float) -> tuple[list[Markup], float]:
    left, step = (48.0, 12.4) if size.is_wide else (4.0, 11.2)
    parts = [patterns(prefix)]
    y = top
    for block in _blocks(cells, 12 if size.is_wide else 6):
        parts += _block(block, left, y + 16, step, prefix, language, is_wide=size.is_wide)
        y += 16 + 7 * step + 8
    states = [state for state in (*WORST, None) if any(one.state is state for one in cells)]
    items: list[tuple[Sample, float, str]] = [
        (_swatch(state, prefix), 16, language.say(_word(state))) for state in states
    ]
    drawn, bottom = legend(items, size.width, y)
    return [*parts, drawn], bottom


def _swatch(state: State | None, prefix: str) -> Sample:
    if state is State.OK:
        return partial(_small, fill(state, prefix))
    return partial(swatch, fill(state, prefix) if state else "none")


def _small(filled: str, x: float, y: float) -> Markup:
    small = tag("path", d=_square(x + 5, y + 4.5, 6), fill=filled)
    return group(swatch("none", x, y), small)


def _blocks(cells: Sequence[Day], months: int) -> list[list[Day]]:
    """The days by year, or by half year."""
    out: dict[tuple[int, int], list[Day]] = {}
    for one in cells:
        out.setdefault((one.day.year, (one.day.month - 1) // months), []).append(one)
    return list(out.values())


def _block(
    cells: Sequence[Day], left: float, top: float, step: float, prefix: str, language: Language, *, is_wide: bool
) -> list[Markup]:
    monday = cells[0].day.toordinal() - cells[0].day.weekday()
    side = step - 1.6
    data: dict[State | None, list[str]] = {}
    for one in cells:
        x = left + (one.day.toordinal() - monday) // 7 * step
        y = top + one.day.weekday() * step
        data.setdefault(None, []).append(_square(x, y, side))
        if one.state:
            # A working day is a small square, an impaired one fills its cell: told apart without colours.
            inset = side / 4 if one.state is State.OK else 0.0
            data.setdefault(one.state, []).append(_square(x + inset, y + inset, side - 2 * inset))
    paths = [tag("path", d="".join(data.pop(None)), class_="empty")]
    paths += [tag("path", d="".join(data[state]), fill=fill(state, prefix)) for state in WORST if state in data]
    names = [
        label(left - 8, top + day * step + side - 1, language.say(name), "t axis", "end")
        for day, name in (_WEEKDAYS.items() if is_wide else ())
    ]
    return [*_months(cells, monday, left, top, step, language), *names, *paths]


def _square(x: float, y: float, side: float) -> str:
    return f"M{number(x)} {number(y)}h{number(side)}v{number(side)}h{number(-side)}z"


def _months(
    cells: Sequence[Day], monday: int, left: float, top: float, step: float, language: Language
) -> list[Markup]:
    out: list[Markup] = []
    free = 0.0
    for one in cells:
        if one.day.day != 1 and one is not cells[0]:
            continue
        if one is cells[0] and any(other.day.day == 1 for other in cells[1:15]):
            continue
        text = language.short_month(one.day.month)
        if not out:
            text = language.digits(f"{text} {one.day.year}")
        x = left + (one.day.toordinal() - monday) // 7 * step
        if x >= free:
            out.append(label(x, top - 5, text, "t axis"))
            free = x + 6.4 * len(text) + 4
    return out
