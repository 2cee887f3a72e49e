"""The pictures of a case in the language of a page."""

from __future__ import annotations

from markupsafe import Markup

from kholo.model import Incident, State

from .dates import ordinal
from .environment import style
from .language import Language
from .rows import CasePage, network_label
from .spans import by_network, runs
from .strip import strip
from .timeline import Drawing, timeline


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
    colours = Markup("<style>{}</style>").format(Markup("\n".join(rules)))  # noqa: S704 - our own file
    ground = Markup('<rect width="100%" height="100%" fill="var(--paper)"/>')
    head, _, rest = timeline(drawing(page, language), compact=False).partition(">")
    return f"{head}>{colours}{ground}{rest}\n".encode()


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
