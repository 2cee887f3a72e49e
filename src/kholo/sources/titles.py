"""The title of a page."""

from __future__ import annotations

from kholo.model import MAX_BODY


def title(body: str) -> str:
    """The text of the first title element, white space folded, cut at 128 characters. Linear in the body."""
    low = body[:MAX_BODY].lower()
    start = low.find("<title")
    opened = low.find(">", start) if start >= 0 else -1
    end = low.find("</title", opened) if opened >= 0 else -1
    return " ".join(body[opened + 1 : end].split())[:128] if end >= 0 else ""
