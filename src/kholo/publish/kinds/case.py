"""The page of a case."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ..cards import Shared, card_path
from ..charts.calendar import calendar
from ..charts.shares import shares
from ..charts.throughput import speed_charts
from ..exports.claimreview import claim_reviews
from ..jsontext import json_text
from ..language import ENGLISH, Language
from ..pictures import drawing
from ..rows import CasePage
from ..site import Site
from ..timeline import COMPACT, MOST_MARKS, MOST_NETWORKS, WIDE, timeline
from . import shared
from .embed import embed_code, keys
from .kind import Key, Kind


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """Everything that is known of the case."""
    page = site.case(key[0], language)
    drawn = drawing(page, language)
    return {
        "title": page.view.case.title,
        "named": True,
        **shared.of_case(page),
        "wide": timeline(drawn, WIDE),
        "compact": timeline(drawn, COMPACT),
        "more_networks": max(0, len(drawn.networks) - MOST_NETWORKS),
        "more_marks": max(0, len(drawn.marks) - MOST_MARKS),
        "calendar": calendar(
            page.view, page.view.days, page.view.window, language.say("Calendar of the whole country"), "days", language
        ),
        "shares": shares(page.view, language),
        "speeds": speed_charts(page.view, language),
        "orders": shared.orders([page], language),
        "embed_code": embed_code(site, page.view, language),
        "reviews": _reviews(site.case(key[0], ENGLISH)),
        "shared": Shared(page.answer.sentence, card_path(language, key[0])),
    }


def _reviews(page: CasePage) -> Markup:
    """The ClaimReviews as a data block, which no policy for scripts applies to: it is never run. Of real cases only."""
    if page.view.simulated or not page.claims:
        return Markup()
    text = json_text(claim_reviews(page, ""))
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704 - escaped


KIND = Kind("case", "cases/{}/", "case.html", keys, content)
