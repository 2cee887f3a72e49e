"""States as bands: what was measured by network and day, and what published findings say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

from kholo.model import Incident, Proposition, State

from .axis import Scale
from .dates import last_day, ordinal
from .language import Language
from .marks import Mark
from .spans import Run
from .svg import group, label, line, number, rect, tag
from .told import recorded
from .words import STATE

BAND = 14.0
_THIN = 11.0
_STEP = 14.0

#: States drawn in one colour without a pattern.
PLAIN = (State.OK, State.BLOCKED)
#: Levels of published findings drawn before they are only listed in the table.
MOST_LEVELS = 10


def fill(state: State, prefix: str) -> str:
    """Colour or pattern of a state; patterns carry the id prefix of their picture."""
    return f"url(#{prefix}-{state.value})"


def patterns(prefix: str) -> Markup:
    """The `<defs>` of one picture: every state has a colour and, but for two, a pattern of its own."""
    return tag(
        "defs",
        *(_pattern(prefix, state, class_, marks) for state, class_, marks in _PATTERNS),
    )


def _pattern(prefix: str, state: State, ground: str, marks: Markup) -> Markup:
    return tag(
        "pattern",
        rect(0, 0, 6, 6, ground),
        marks,
        id=f"{prefix}-{state.value}",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )


def _path(data: str) -> Markup:
    return tag("path", d=data, class_="pat")


_PATTERNS: tuple[tuple[State, str, Markup], ...] = (
    (State.OK, "s-ok", Markup("")),
    (State.BLOCKED, "s-blocked", Markup("")),
    (State.THROTTLED, "s-throttled", _path("M0 6L6 0M-1 1L1 -1M5 7L7 5")),
    (State.DOWN, "s-down", _path("M0 0L6 6M6 0L0 6")),
    (State.INSUFFICIENT, "s-none", tag("path", d="M0 0L6 6M-1 5L1 7M5 -1L7 1", class_="hatch")),
)


def network_band(name: str, runs: Sequence[Run], scale: Scale, top: float, prefix: str) -> Markup:
    """One network: an empty outline for days without any result, filled by state where there are some.

    One path a state: a page stays light however often the state changes.
    """
    drawn = [tag("title", name, translate="no"), rect(scale.left, top, scale.right - scale.left, BAND, "empty")]
    for state in State:
        data = "".join(_box(run, scale, top) for run in runs if run.state is state)
        if data:
            drawn.append(tag("path", d=data, fill=fill(state, prefix)))
    return group(*drawn)


def _box(run: Run, scale: Scale, top: float) -> str:
    left, right = scale.x(run.first), scale.x(ordinal(run.last) + 1)
    if right <= left:
        return ""
    right = max(right, left + 0.6)
    return f"M{number(left)} {number(top)}H{number(right)}V{number(top + BAND)}H{number(left)}z"


def incident_row(row: Incident, scale: Scale, top: float, prefix: str, anchor: str, language: Language) -> Markup:
    """One incident: solid where it certainly lasted, whiskers over the time its onset and end may lie in."""
    middle = top + BAND / 2
    certain = scale.x(row.onset.latest)
    ended = scale.x(row.end.earliest if row.end else row.last_seen)
    told = {"state": language.say(STATE[row.state]), "onset": language.bracket(row.onset)}
    if row.end:
        words = language.say("{state}; onset {onset}; end {end}", **told, end=language.bracket(row.end))
    else:
        seen = language.day(row.last_seen)
        words = language.say("{state}; onset {onset}; no end measured, last seen {seen}", **told, seen=seen)
    parts = [
        tag("title", words),
        rect(scale.left, top, scale.right - scale.left, BAND, "hit"),
        rect(certain, top + 1, max(1.5, ended - certain), BAND - 2, "bar", fill(row.state, prefix)),
        *_whisker(scale.x(row.onset.earliest), certain, middle),
    ]
    if row.end:
        parts += _whisker(ended, scale.x(row.end.latest), middle)
    else:
        arrow = f"M{ended + 2:.1f} {middle - 4:.1f}l6 4l-6 4"
        parts.append(tag("path", d=arrow, class_="whisker"))
    return tag("a", *parts, href=f"#{anchor}")


def _whisker(left: float, right: float, middle: float) -> list[Markup]:
    return [
        line(left, middle, right, middle, "whisker"),
        line(left, middle - 5, left, middle + 5, "whisker"),
        line(right, middle - 5, right, middle + 5, "whisker"),
    ]


def finding_bands(
    findings: Sequence[Mark], scale: Scale, top: float, prefix: str, language: Language
) -> tuple[Markup, float]:
    """What published findings say, one thin bar a finding, stacked; returns the height taken as well."""
    free: list[float] = []
    drawn: list[Markup] = []
    for mark in sorted(findings, key=_by_start):
        claim = mark.entry.proposition
        if claim is None or ordinal(claim.end) <= scale.first or ordinal(claim.start) >= scale.last:
            continue
        place = _place(mark, claim, scale, language)
        level = next((n for n, edge in enumerate(free) if edge <= place.first), len(free))
        if level >= MOST_LEVELS:
            continue
        free[level : level + 1] = [place.last + 2]
        drawn.append(_finding(mark, claim, place, top + level * _STEP, prefix, language))
    return group(*drawn), max(1, len(free)) * _STEP


def _by_start(mark: Mark) -> tuple[float, int]:
    claim = mark.entry.proposition
    return (ordinal(claim.start) if claim else 0.0, mark.number)


class _Place(msgspec.Struct, frozen=True):
    """Where a bar and its words stand, in pixels; `first` to `last` is what both take up together."""

    left: float
    right: float
    text: str
    words_at: float
    text_anchor: str | None
    inside: bool
    first: float
    last: float


def _place(mark: Mark, claim: Proposition, scale: Scale, language: Language) -> _Place:
    """Words inside of the bar where they fit, else right of it, else left of it."""
    left, right = scale.x(claim.start), scale.x(claim.end)
    text = f"{language.number(mark.number)} {language.say(STATE[claim.state])}"
    size = 6.2 * len(text) + 6
    if right - left > size:
        return _Place(left, right, text, left + 4, None, True, left, right)
    if right + size + 2 <= scale.right:
        return _Place(left, right, text, right + 4, None, False, left, right + size)
    return _Place(left, right, text, left - 4, "end", False, left - size, right)


def _finding(mark: Mark, claim: Proposition, place: _Place, top: float, prefix: str, language: Language) -> Markup:
    words = escape(language.say("Published finding {number}: {state}, {span}: {title}")).format(
        number=language.number(mark.number),
        state=language.say(STATE[claim.state]),
        span=language.stretch(claim.start.date(), last_day(claim.end)),
        title=recorded(mark.entry.title, language),
    )
    width = max(2.0, place.right - place.left)
    return tag(
        "a",
        tag("title", words),
        rect(place.left, top, width, _THIN, "bar", fill(claim.state, prefix)),
        label(place.words_at, top + 9, place.text, "bt on" if place.inside else "bt", place.text_anchor),
        href=f"#{mark.anchor}",
    )
