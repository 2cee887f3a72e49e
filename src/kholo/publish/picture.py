"""The picture of a case as a file of its own, for a screen and for paper."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import msgspec
from markupsafe import Markup

from .bands import PLAIN, fill
from .labels import ENGLISH, Labels
from .rows import CasePage, network_label
from .spans import by_network, runs
from .timeline import PAGE, WIDE, Drawing, timeline

_NAME = re.compile(r"var\((--[a-z]+)\)")
_VALUE = re.compile(r"(--[a-z]+):([^;}]+)")
_SIZE = re.compile(r'viewBox="0 0 ([0-9]+) ([0-9]+)"')


class Printed(msgspec.Struct, frozen=True):
    """A picture for paper: an SVG that needs nothing else, and its size in its own units."""

    svg: str
    width: float
    height: float


@cache
def style() -> str:
    """The rules of the site, a line each."""
    text = resources.files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def picture_svg(page: CasePage) -> bytes:
    """The timeline as a file of its own, with the colours it needs and a plain ground."""
    rules = [line for line in style().splitlines() if line.startswith(("svg ", ":root", "@media (prefers-color"))]
    ground = Markup('<rect width="100%" height="100%" fill="var(--paper)"/>')
    return f"{_styled(timeline(drawing_of(page), WIDE), rules, ground)}\n".encode()


def printed(page: CasePage, labels: Labels, fonts: str) -> Printed:
    """The timeline for a page of paper: colours by their values, and letters in the `fonts` (a CSS list)."""
    lines = style().splitlines()
    values = dict(_VALUE.findall(next(line for line in lines if line.startswith(":root"))))
    rules = [_NAME.sub(lambda name: values[name[1]], line) for line in lines if line.startswith("svg ")]
    family = f"svg text{{font-family:{fonts}}}"
    drawn = str(timeline(drawing_of(page, labels), PAGE))
    for state in PLAIN:
        # A pattern of one colour: tiles would show their seams on paper.
        drawn = drawn.replace(fill(state, PAGE.prefix), values[f"--{state.value}"])
    width, height = _SIZE.findall(drawn)[0]
    whole = _styled(Markup(drawn), [*rules, family], Markup())  # noqa: S704 - made of Markup alone
    return Printed(str(whole), float(width), float(height))


def _styled(drawn: Markup, rules: list[str], ground: Markup) -> Markup:
    inside = Markup("<style>{}</style>").format(Markup("\n".join(rules)))  # noqa: S704 - our own file
    head, _, rest = drawn.partition(">")
    return Markup(f"{head}>{inside}{ground}{rest}")  # noqa: S704 - made of Markup alone


def drawing_of(page: CasePage, labels: Labels = ENGLISH) -> Drawing:
    """What the picture of a case shows."""
    view = page.view
    grouped = by_network(view.days)
    prefix = "Simulated data. " if view.simulated else ""
    return Drawing(
        view=view,
        title=f"{prefix}Timeline: {view.case.title}",
        desc=f"{page.answer.sentence} The tables below the picture hold everything that it shows.",
        incidents=[(row.incident, row.anchor) for row in page.incidents],
        networks=[(network_label(view, name), runs(rows)) for name, rows in grouped.items()],
        findings=page.finding_marks,
        marks=page.marks,
        labels=labels,
    )
