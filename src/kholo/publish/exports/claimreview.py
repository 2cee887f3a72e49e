"""ClaimReview (schema.org): one review for each claim of the record that was set against the evidence.

Required by schema.org's readers: `claimReviewed`, `reviewRating`, `url`, and of it `itemReviewed`, `author` and
`datePublished`. A claim that the evidence can't decide has no `ratingValue`: it is not rated false.
"""

from __future__ import annotations

from typing import Any

from kholo.model import Assessment, Entry, Extent, Outcome, Source

from ..jsontext import json_bytes
from ..rows import CasePage, ClaimRow
from ..safe import web_address
from ..view import CaseView
from ..words import GRADE, NOTICE

#: How an outcome reads in a reader that shows words only, and its number from worst (1) to best (5).
RATING: dict[tuple[Outcome, Extent], tuple[str, int | None]] = {
    (Outcome.SUPPORTED, Extent.WHOLE): ("Supported by the evidence", 5),
    (Outcome.SUPPORTED, Extent.PART): ("Supported by the evidence, in part", 4),
    (Outcome.CONTRADICTED, Extent.PART): ("Contradicted by the evidence, in part", 2),
    (Outcome.CONTRADICTED, Extent.WHOLE): ("Contradicted by the evidence", 1),
}
UNDETERMINED = "Undetermined: the evidence can't decide it"
EXPLAINED = (
    "1: the evidence contradicts the claim. 2: it contradicts a part and bears another part out. 4: it supports the"
    " claim but for a part. 5: it supports it. A claim that the evidence can't decide has no number, which does not"
    " mean that it is false."
)


def claim_reviews(page: CasePage, url: str) -> dict[str, Any]:
    """The reviews as one JSON-LD document; `url` is the address of the case's page ("": the page that holds this)."""
    graph = [_review(page.view, claim, url) for claim in page.claims]
    return {"@context": "https://schema.org", "@graph": graph}


def claimreview(page: CasePage, url: str) -> bytes:
    """The file."""
    return json_bytes(claim_reviews(page, url))


def _review(view: CaseView, claim: ClaimRow, url: str) -> dict[str, Any]:
    entry, found = claim.row.entry, claim.assessment
    body = found.because if found.grade is None else f"{found.because} Grade {found.grade}: {GRADE[found.grade]}."
    review: dict[str, Any] = {
        "@type": "ClaimReview",
        "url": f"{url}#{claim.row.anchor}",
        "datePublished": view.as_of.date().isoformat(),
        "author": {"@type": "Organization", "name": "kholo"},
        "claimReviewed": f"{found.checked} Read from: {entry.title}" if found.checked else entry.title,
        "reviewBody": f"{NOTICE} {body}" if view.simulated else body,
        "inLanguage": "en",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "itemReviewed": _item(entry, claim.row.actor),
        "reviewRating": _rating(view, found),
    }
    return review


def _rating(view: CaseView, found: Assessment) -> dict[str, Any]:
    words, number = RATING.get((found.outcome, found.extent or Extent.WHOLE), (UNDETERMINED, None))
    rating: dict[str, Any] = {
        "@type": "Rating",
        "alternateName": f"Simulated: {words}" if view.simulated else words,
        "ratingExplanation": EXPLAINED,
    }
    return rating if number is None else rating | {"ratingValue": number, "worstRating": 1, "bestRating": 5}


def _item(entry: Entry, actor: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "@type": "Claim",
        "name": entry.title,
        "text": entry.summary,
        "author": {"@type": "Organization", "name": actor},
    }
    if entry.earliest == entry.latest:
        item["datePublished"] = entry.earliest.isoformat()
    appearances = [made for source in entry.sources if (made := _appearance(source))]
    return item | {"appearance": appearances} if appearances else item


def _appearance(source: Source) -> dict[str, Any] | None:
    address = web_address(source.address)
    if address is None:
        return None
    work: dict[str, Any] = {
        "@type": "CreativeWork",
        "url": address,
        "publisher": {"@type": "Organization", "name": source.publisher},
        "inLanguage": source.language,
    }
    if source.title:
        work["headline"] = source.title
    return work | {"datePublished": source.date.isoformat()} if source.date else work
