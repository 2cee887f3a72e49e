"""What a person types on a command line, as values of the format: `x PK blocked 2024-02-17..2024-05-01`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from kholo.model import UsageError

from .format import Key, What
from .text import shown
from .values import Words, value_of

_MOMENT = r"\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?"
_SPAN = re.compile(rf"({_MOMENT})?(?:\.\.({_MOMENT})?)?")
_LISTS = (What.ENTRIES, What.NETWORKS, What.LINES)


def typed(key: Key, text: str) -> Any:
    """A text as the type that a key wants; a text that is none stays one, for `checked` to say so."""
    if key.what in _LISTS and not text.startswith("["):
        return [text] if key.what is What.LINES else [part for part in re.split(r"[,\s]+", text) if part]
    if key.what in (*_LISTS, What.FLAG, What.DAY, What.MOMENT):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError, KeyError):
            return text
    return text


def checked(key: Key, value: Any, words: Words) -> Any:
    """The value, if it can stand at the key. Raises `UsageError` with what is wrong."""
    faults: list[str] = []

    def note(message: str, *_inside: int) -> None:
        faults.append(message)

    value_of(key, value, words, note)
    if faults:
        said = "; ".join(fault.replace(" without quotes", "").removesuffix(", not a text") for fault in faults)
        raise UsageError(f"{key.name}: {said}")
    return value


def claim(text: str) -> dict[str, Any]:
    """`SERVICE PLACE STATE FROM..TO [NETWORK ...]` as a proposition. Raises `UsageError`."""
    begin, end, about = _parts(text, "x PK blocked 2024-02-17..2024-05-01, and networks after it if it is so limited")
    if begin is None or end is None:
        raise UsageError(f"{shown(text)}: a claim has a first day and an end (not included): 2024-02-17..2024-05-01")
    return {**about[0], "from": begin, "to": end, **about[1]}


def duty(text: str) -> dict[str, Any]:
    """`SERVICE PLACE STATE DUE[..UNTIL] [NETWORK ...]` as an obligation. Raises `UsageError`."""
    due, until, about = _parts(text, "x PK ok 2024-02-23, or 2024-02-23..2024-05-01 if it lapses")
    if due is None:
        raise UsageError(f"{shown(text)}: an order has a day from which on it must be so")
    return {**about[0], "due": due, **({"until": until} if until else {}), **about[1]}


def span(text: str) -> dict[str, Any]:
    """`[FROM]..[UNTIL]` as the time of a stay. Raises `UsageError`."""
    found = _SPAN.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        raise UsageError(f"{shown(text)} is no span of time; write 2024-03-01..2024-04-01, or ..2024-04-01")
    pairs = (("from", found[1]), ("until", found[2]))
    return {name: _moment(value) for name, value in pairs if value}


def law(text: str) -> dict[str, Any]:
    """`STATUTE[; SECTION[; WHAT IT SAYS]]` as a legal basis."""
    parts = [part.strip() for part in text.split(";", 2)]
    return {name: part for name, part in zip(("statute", "section", "says"), parts, strict=False) if part}


def _parts(text: str, example: str) -> tuple[Any, Any, tuple[dict[str, Any], dict[str, Any]]]:
    words: Sequence[str] = text.split()
    found = _SPAN.fullmatch(words[3]) if len(words) > 3 else None
    if found is None:
        raise UsageError(f"{shown(text)} is not understood; write it like: {example}")
    about = {"service": words[0], "place": words[1], "state": words[2]}
    networks = {"networks": list(words[4:])} if len(words) > 4 else {}
    begin, end = (_moment(part) if part else None for part in found.groups())
    return begin, end, (about, networks)


def _moment(text: str) -> date | datetime:
    try:
        moment: date | datetime = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        raise UsageError(f"there is no day or time {text}") from None
    return moment
