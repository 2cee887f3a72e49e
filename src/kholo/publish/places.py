"""Names of places by their ISO 3166 alpha-2 code."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def names() -> dict[str, str]:
    """All places: code to name."""
    text = resources.files(__package__).joinpath("places.tsv").read_text(encoding="utf-8")
    rows = (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: name for code, _, name in rows}


def place_name(code: str) -> str:
    """The name as it stands after "in"; a code that names no place stays a code."""
    return names().get(code, code)
