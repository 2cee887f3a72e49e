"""Text from outside, made fit to be shown."""

from __future__ import annotations


def clean(text: str, limit: int = 300) -> str:
    """Text from outside made fit for a terminal and a table: no control characters, and not endless."""
    visible = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])
    return visible + "…" if len(text) > limit else visible
