"""The picture of a case: measured states, published findings and what was said, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from markupsafe import Markup

from kholo.model import Incident, State

from .axis import Scale, scale_for, ticks
from .bands import BAND, finding_bands, incident_row, network_band, patterns
from .language import ENGLISH, Language
from .legend import Sample, legend, swatch
from .marks import Mark, lane
from .safe import visible
from .spans import Run
from .svg import group, label, line, rect, tag
from .told import plain
from .view import CaseView
from .words import LANES, OUTCOME, STATE

#: Rows of networks and of incidents drawn before the rest stands in the table only.
MOST_NETWORKS = 24
MOST_INCIDENTS = 12
MOST_MARKS = 120


class Layout(msgspec.Struct, frozen=True):
    """How wide a picture is, and where its labels stand: at the left in a gutter, or (0) above each row."""

    name: str
    prefix: str
    width: float
    gutter: float
    most: int


#: For a screen, a phone, and a page of paper, where letters must not get smaller than those of the text around.
WIDE = Layout("timeline wide", "w", 960.0, 172.0, 27)
COMPACT = Layout("timeline compact", "c", 340.0, 0.0, 52)
PAGE = Layout("timeline page", "p", 620.0, 160.0, 26)


class Drawing(msgspec.Struct, frozen=True):
    """What the picture shows, already put in order: the rows, and the words for those who can't see it."""

    view: CaseView
    title: str
    desc: str
    incidents: Sequence[tuple[Incident, str]]
    networks: Sequence[tuple[str, Sequence[Run]]]
    findings: Sequence[Mark]
    marks: Sequence[Mark]
    language: Language = ENGLISH


class _Picture:
    """Collects rows from top to bottom. A layout with a gutter has labels in it, one without has them above."""

    def __init__(self, view: CaseView, layout: Layout) -> None:
        self.layout = layout
        self.width = layout.width
        self.scale: Scale = scale_for(view, layout.gutter or 4.0, self.width - 6.0)
        self.prefix = layout.prefix
        self.parts: list[Markup] = []
        self.y = 4.0

    def label(self, text: str, class_: str = "t", translate: str | None = None) -> None:
        """The name of the row that follows."""
        shown, gutter = _clipped(text, self.layout.most), self.layout.gutter
        if not gutter:
            self.y += 12
            self.parts.append(label(4, self.y, shown, class_, translate=translate))
            self.y += 4
        else:
            self.parts.append(label(gutter - 10, self.y + 11, shown, class_, "end", translate))

    def add(self, drawn: Markup, height: float) -> None:
        """One row."""
        self.parts.append(drawn)
        self.y += height


def timeline(drawing: Drawing, layout: Layout) -> Markup:
    """The SVG."""
    picture = _Picture(drawing.view, layout)
    if drawing.view.simulated:
        picture.y += 14
        picture.parts.append(label(4, picture.y, drawing.language.say("SIMULATED DATA. Nothing here happened."), "sim"))
        picture.y += 6
    axis_top = picture.y
    picture.y += 20
    _measured(picture, drawing)
    _findings(picture, drawing)
    _lanes(picture, drawing)
    bottom = picture.y
    behind = _grid(picture, axis_top, bottom, drawing.language)
    picture.y += 8
    _legend(picture, drawing.language)
    return tag(
        "svg",
        tag("title", plain(drawing.title, drawing.language), id=f"{picture.prefix}-title"),
        tag("desc", plain(drawing.desc, drawing.language), id=f"{picture.prefix}-desc"),
        patterns(picture.prefix),
        behind,
        *picture.parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {picture.width:.0f} {picture.y:.0f}",
        class_=layout.name,
        role="group",
        lang=drawing.language.code,
        aria_labelledby=f"{picture.prefix}-title {picture.prefix}-desc",
    )


def _grid(picture: _Picture, top: float, bottom: float, language: Language) -> Markup:
    drawn = []
    for tick in ticks(picture.scale, 78.0 if picture.layout.gutter else 62.0, language):
        drawn.append(line(tick.x, top + 16, tick.x, bottom, "grid"))
        edge = "start" if tick.x < picture.scale.left + 28 else "middle"
        edge = "end" if tick.x > picture.scale.right - 28 else edge
        drawn.append(label(tick.x, top + 11, tick.text, "t axis", edge))
    return group(*drawn)


def _measured(picture: _Picture, drawing: Drawing) -> None:
    say = drawing.language.say
    for row, anchor in drawing.incidents[:MOST_INCIDENTS]:
        picture.label(say("Incident: {state}", state=say(STATE[row.state])), "t strong")
        drawn = incident_row(row, picture.scale, picture.y, picture.prefix, anchor, drawing.language)
        picture.add(drawn, BAND + 6)
    for name, runs in drawing.networks[:MOST_NETWORKS]:
        picture.label(name, translate="no")
        picture.add(network_band(name, runs, picture.scale, picture.y, picture.prefix), BAND + 4)
    if not drawing.networks:
        picture.label(say("Measured here"))
        left, right = picture.scale.left, picture.scale.right
        picture.parts.append(rect(left, picture.y, right - left, BAND, "empty"))
        words = say("no raw measurements in this store")
        picture.add(label(left + 8, picture.y + 11, words, "t faint"), BAND + 4)
    picture.y += 6


def _findings(picture: _Picture, drawing: Drawing) -> None:
    if not drawing.findings:
        return
    picture.label(drawing.language.say("Published findings say"))
    drawn, height = finding_bands(drawing.findings, picture.scale, picture.y, picture.prefix, drawing.language)
    picture.add(drawn, height + 8)


def _lanes(picture: _Picture, drawing: Drawing) -> None:
    shown = drawing.marks[:MOST_MARKS]
    for name, kinds in LANES:
        marks = [mark for mark in shown if mark.entry.kind in kinds]
        if not marks:
            continue
        picture.parts.append(line(4, picture.y, picture.width - 6, picture.y, "rule"))
        picture.y += 5
        picture.label(drawing.language.say(name))
        picture.add(*lane(marks, picture.scale, picture.y, drawing.language))
        picture.y += 4


def _legend(picture: _Picture, language: Language) -> None:
    states = (State.OK, State.THROTTLED, State.BLOCKED, State.DOWN, State.INSUFFICIENT)
    items: list[tuple[Sample, float, str]] = [
        (partial(swatch, f"url(#{picture.prefix}-{state.value})"), 16, language.say(STATE[state])) for state in states
    ]
    items.append((partial(swatch, "none"), 16, language.say("nothing measured")))
    items.append((_bracket, 16, language.say("onset or end lies in here")))
    for outcome, (sign, word) in OUTCOME.items():
        sample = partial(_sample, f"{language.number(12)} {sign}", outcome.value)
        items.append((sample, 34, language.say(word)))
    drawn, picture.y = legend(items, picture.width, picture.y)
    picture.parts.append(drawn)


def _bracket(x: float, y: float) -> Markup:
    ends = (line(at, y + 3, at, y + 13, "whisker") for at in (x, x + 16))
    return group(line(x, y + 8, x + 16, y + 8, "whisker"), *ends)


def _sample(text: str, outcome: str, x: float, y: float) -> Markup:
    return group(rect(x, y, 34, 16, f"mark {outcome}"), label(x + 17, y + 12, text, f"mt {outcome}", "middle"))


def _clipped(text: str, most: int) -> str:
    shown = visible(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
