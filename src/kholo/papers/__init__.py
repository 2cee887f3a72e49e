"""The campaign's papers: drawn from the record, every figure with a footnote, in several languages and formats."""

from __future__ import annotations

from .certificate import read_answers
from .compose import kinds, paper, statement_digest
from .document import Document, spoken
from .language import languages
from .render import FORMATS, render
from .signatories import Check, Signatory

__all__ = [
    "FORMATS",
    "Check",
    "Document",
    "Signatory",
    "kinds",
    "languages",
    "paper",
    "read_answers",
    "render",
    "spoken",
    "statement_digest",
]
