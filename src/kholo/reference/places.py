"""Names of places by their ISO 3166 alpha-2 code, and codes by the names that archives use."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib import resources


@cache
def _rows() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Code, name and further names of every place."""
    text = resources.files(__package__).joinpath("places.tsv").read_text(encoding="utf-8")
    cells = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return tuple((code, name, tuple(more[0].split(";")) if more else ()) for code, name, *more in cells)


@cache
def names() -> dict[str, str]:
    """All places: code to name."""
    return {code: name for code, name, _ in _rows()}


@cache
def _codes() -> dict[str, str]:
    return {_key(name): code for code, first, more in _rows() for name in (first, *more)}


def place_name(code: str) -> str:
    """The name as it stands after "in"; a code that names no place stays a code."""
    return names().get(code, code)


@lru_cache(maxsize=4_096)
def place_code(name: str) -> str:
    """The code of the place with this name, however it is accented and whether "the" stands before it; "" if none."""
    return _codes().get(_key(name), "")


def _key(name: str) -> str:
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    plain = plain.casefold().replace("’", "'").replace("&", "and").removeprefix("the ")
    return "st " + plain[6:] if plain.startswith("saint ") else plain.replace("st. ", "st ")
