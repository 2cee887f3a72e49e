"""The pictures of a case in the language of a page."""

from __future__ import annotations

import re

import msgspec
from markupsafe import Markup

from kholo.model import Incident, State

from .bands import PLAIN, fill
from .dates import ordinal
from .environment import style
from .language import Language
from .rows import CasePage, network_label
from .spans import by_network, runs
from .strip import strip
from .timeline import PAGE, WIDE, Drawing, timeline

_NAME = re.compile(r"var\((--[a-z]+)\)")
_VALUE = re.compile(r"(--[a-z]+):([^;}]+)")
_SIZE = re.compile(r'viewBox="0 0 ([0-9]+) ([0-9]+)"')


def drawing(page: CasePage, language: Language) -> Drawing:
    """What the timeline of a case shows."""
    view = page.view
    title = language.say("Timeline: {title}", title=view.case.title)
    if view.simulated:
        title = language.say("Simulated data. {text}", text=title)
    return Drawing(
        view=view,
        title=title,
        desc=language.say(
            "{answer} The tables below the picture hold everything that it shows.", answer=page.answer.sentence
        ),
        incidents=[(row.incident, row.anchor) for row in page.incidents],
        networks=[(network_label(view, name), runs(rows)) for name, rows in by_network(view.days).items()],
        findings=page.finding_marks,
        marks=page.marks,
        language=language,
    )


def picture_svg(page: CasePage, language: Language) -> bytes:
    """The timeline as a file of its own, with the colours it needs and a plain ground."""
    rules = [line for line in style().splitlines() if line.startswith(("svg ", ":root", "@media (prefers-color"))]
    ground = Markup('<rect width="100%" height="100%" fill="var(--paper)"/>')
    return f"{_styled(timeline(drawing(page, language), WIDE), rules, ground)}\n".encode()


class Printed(msgspec.Struct, frozen=True):
    """A picture for paper: an SVG that needs nothing else, and its size in its own units."""

    svg: str
    width: float
    height: float


def printed(page: CasePage, language: Language, fonts: str) -> Printed:
    """The timeline for a page of paper: colours by their values, and letters in the `fonts` (a CSS list)."""
    rules, values = _plain_rules(fonts)
    drawn = str(timeline(drawing(page, language), PAGE))
    for state in PLAIN:
        # A pattern of one colour: tiles would show their seams on paper.
        drawn = drawn.replace(fill(state, PAGE.prefix), values[f"--{state.value}"])
    width, height = _SIZE.findall(drawn)[0]
    whole = _styled(Markup(drawn), rules, Markup())  # noqa: S704 - made of Markup alone
    return Printed(str(whole), float(width), float(height))


def printed_band(page: CasePage, language: Language, fonts: str) -> str:
    """The small band as an SVG that needs nothing else, with letters in the `fonts` (a CSS list)."""
    rules, _ = _plain_rules(fonts)
    return str(_styled(band(page, language), rules, Markup()))


def _plain_rules(fonts: str) -> tuple[list[str], dict[str, str]]:
    """The rules for pictures with their colours filled in and letters in the `fonts`, and the colours by name."""
    lines = style().splitlines()
    values = dict(_VALUE.findall(next(line for line in lines if line.startswith(":root"))))
    rules = [_NAME.sub(lambda name: values[name[1]], line) for line in lines if line.startswith("svg ")]
    return [*rules, f"svg text{{font-family:{fonts}}}"], values


def _styled(drawn: Markup, rules: list[str], ground: Markup) -> Markup:
    inside = Markup("<style>{}</style>").format(Markup("\n".join(rules)))  # noqa: S704 - our own file
    head, _, rest = drawn.partition(">")
    return Markup(f"{head}>{inside}{ground}{rest}")  # noqa: S704 - made of Markup alone


def band(page: CasePage, language: Language) -> Markup:
    """The small band of a case: incidents when there are any, else what published findings say."""
    spans = [_incident_span(row.incident) for row in page.incidents]
    if not spans:
        claims = [mark.entry.proposition for mark in page.finding_marks]
        spans = [(claim.state, ordinal(claim.start), ordinal(claim.end)) for claim in claims if claim]
    title = page.answer.sentence
    if page.view.simulated:
        title = language.say("Simulated data. {text}", text=title)
    return strip(page.view, spans, title, language)


def _incident_span(row: Incident) -> tuple[State, float, float]:
    end = row.end.earliest if row.end else row.last_seen
    return row.state, ordinal(row.onset.latest), ordinal(end)
