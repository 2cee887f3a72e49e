"""A paper as bytes of one format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kholo.model import UsageError

from .document import Document
from .html import html
from .markdown import markdown
from .pdf import pdf
from .txt import txt

FORMATS = ("html", "pdf", "txt", "md")
_PLAIN: Mapping[str, Callable[[Document], bytes]] = {"html": html, "txt": txt, "md": markdown}


def render(document: Document, form: str, fonts: Sequence[Path] = ()) -> bytes:
    """The same document gives the same bytes. `fonts`: folders that a PDF takes fonts from, beside the system's.

    Raises `UsageError` for a format that is none, `EnvironmentFault` where a part that a PDF needs is missing.
    """
    if form == "pdf":
        return pdf(document, fonts)
    if form not in _PLAIN:
        raise UsageError(f"{form!a}: no such format; there are: {', '.join(FORMATS)}")
    return _PLAIN[form](document)
