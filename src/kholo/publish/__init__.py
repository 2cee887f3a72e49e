"""The publish room: from cases with everything computed to static pages that need no script, in several languages."""

from __future__ import annotations

from .answer import Answer, Basis, answer
from .book import Book
from .build import build_site
from .site import Calendar, Dossier, Outside, Site
from .view import CaseView, Elsewhere, Others, Versions

__all__ = [
    "Answer",
    "Basis",
    "Book",
    "Calendar",
    "CaseView",
    "Dossier",
    "Elsewhere",
    "Others",
    "Outside",
    "Site",
    "Versions",
    "answer",
    "build_site",
]
