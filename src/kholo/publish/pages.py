"""From rows to HTML: one environment that escapes everything and fails on anything undefined."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kholo.detect.rates import sentence
from kholo.model import Incident, State
from kholo.reference import places

from . import dates, effects, safe, words
from .answer import Basis
from .data import NOTICE
from .dates import ordinal
from .exports.claimreview import claim_reviews
from .jsontext import json_text
from .picture import drawing_of, style
from .rows import CasePage, network_label
from .strip import strip
from .timeline import COMPACT, MOST_MARKS, MOST_NETWORKS, WIDE, timeline

#: Rows of each table of other witnesses, before the rest is left to data.json and to `kholo signals`.
MOST_OTHERS = 40


class Card(msgspec.Struct, frozen=True):
    """One case on the front page."""

    page: CasePage
    picture: Markup


def case_html(page: CasePage) -> bytes:
    """The page of one case."""
    drawing = drawing_of(page)
    return _render(
        "case.html",
        page=page,
        view=page.view,
        case=page.view.case,
        wide=timeline(drawing, WIDE),
        compact=timeline(drawing, COMPACT),
        simulated=page.view.simulated,
        more_networks=max(0, len(drawing.networks) - MOST_NETWORKS),
        more_marks=max(0, len(drawing.marks) - MOST_MARKS),
        reviews=_reviews(page),
    )


def _reviews(page: CasePage) -> Markup:
    """The ClaimReviews as a data block, which no policy for scripts applies to: it is never run. Of real cases only."""
    if page.view.simulated or not page.claims:
        return Markup()
    text = json_text(claim_reviews(page, ""))
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704 - escaped


def index_html(pages: Sequence[CasePage]) -> bytes:
    """The front page: every case with its answer; real cases before invented ones."""
    ordered = sorted(pages, key=lambda page: (page.view.simulated, page.view.case.id))
    cards = [Card(page, _strip(page)) for page in ordered]
    all_invented = bool(ordered) and all(page.view.simulated for page in ordered)
    return _render("index.html", cards=cards, simulated=all_invented)


def _render(template: str, **context: object) -> bytes:
    text = _environment().get_template(template).render(**context)
    return text.encode("utf-8", errors="strict")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kholo.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rules = style()
    digest = base64.b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    environment.globals |= {
        "style": Markup(rules),  # noqa: S704 - our own file
        "style_digest": digest,
        "notice": NOTICE,
        "STATE": words.STATE,
        "OUTCOME": words.OUTCOME,
        "GRADE": words.GRADE,
        "KIND": words.KIND,
        "ANSWERED": words.ANSWERED,
        "REASON": words.REASON,
        "STANDING": words.STANDING,
        "NO_BLOCK": words.NO_BLOCK,
        "VANTAGE": words.VANTAGE,
        "EFFECT_UNKNOWN": effects.UNKNOWN,
        "input_words": effects.input_words,
        "range_words": effects.range_words,
        "changed_words": effects.changed_words,
        "MOST_OTHERS": MOST_OTHERS,
        "Basis": Basis,
        "network_label": network_label,
        "stretch": dates.stretch,
        "slowness": sentence,
    }
    environment.filters |= {
        "day": dates.day,
        "unbroken": dates.unbroken,
        "short_day": dates.short_day,
        "moment": dates.moment,
        "bracket": dates.bracket,
        "last_day": dates.last_day,
        "stamp": dates.stamp,
        "cell": safe.cell,
        "web": safe.web_address,
        "language": safe.language,
        "place": places.place_name,
        "month": dates.month,
        "mechanism": words.mechanism,
        "count": words.count,
    }
    return environment


def _shown(value: object) -> object:
    """Runs over every expression of every template: hidden characters can't be forgotten anywhere."""
    if isinstance(value, Markup):
        return value
    if value is None:
        raise TypeError("a template printed None")
    return safe.visible(str(value))


def _strip(page: CasePage) -> Markup:
    """Incidents when there are any, else what published findings say."""
    spans = [_incident_span(row.incident) for row in page.incidents]
    if not spans:
        claims = [mark.entry.proposition for mark in page.finding_marks]
        spans = [(claim.state, ordinal(claim.start), ordinal(claim.end)) for claim in claims if claim]
    prefix = "Simulated data. " if page.view.simulated else ""
    return strip(page.view, spans, f"{prefix}{page.answer.sentence}")


def _incident_span(row: Incident) -> tuple[State, float, float]:
    end = row.end.earliest if row.end else row.last_seen
    return row.state, ordinal(row.onset.latest), ordinal(end)
