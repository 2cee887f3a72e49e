"""A case small enough to stand inside of somebody's page: a picture, the answer, a link. Nothing is counted."""

from __future__ import annotations

from typing import Any

from ..language import Language
from ..pictures import band
from ..site import Site
from ..svg import tag
from ..view import CaseView
from . import shared
from .kind import Key, Kind


def keys(site: Site) -> list[Key]:
    """One page a case."""
    return [(name,) for name in site.cases]


def content(site: Site, key: Key, language: Language) -> dict[str, Any]:
    """The case in a sentence."""
    page = site.case(key[0], language)
    return {
        "title": page.view.case.title,
        "named": True,
        **shared.of_case(page),
        "picture": band(page, language),
    }


def embed_code(site: Site, view: CaseView, language: Language) -> str:
    """What to copy into another page, as HTML text. Where the site does not know its address, a placeholder stands."""
    address = site.address.rstrip("/") or "https://ADDRESS-OF-THIS-SITE"
    code = tag(
        "iframe", view.case.title,
        src=f"{address}/{language.code}/{KIND.path((view.case.id,))}",
        width="360", height="420" if language.is_source else "600", loading="lazy", referrerpolicy="no-referrer",
        sandbox="allow-popups allow-popups-to-escape-sandbox", title=view.case.title,
    )  # fmt: skip
    return str(code)


KIND = Kind("embed", "embed/{}/", "embed.html", keys, content)
