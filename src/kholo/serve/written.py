"""Verdicts as JSON, put together from what many of them have in common.

Most of a list of a hundred verdicts is what a few groups and shapes say again and again. Each of those is encoded once;
a row adds what is its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from .index import FIELD, ROW

#: How many groups, and how many shapes, are remembered; beyond it all are forgotten and read again when needed.
_KEPT = 50_000
_GROUPS = (
    "SELECT id, simulated, service, place, network, state, vantage FROM groups"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
_SHAPES = "SELECT id, row FROM shapes WHERE id IN (SELECT value FROM json_each(?))"
#: What goes into a row: two pieces of a group, one of a shape.
_Pieces = tuple[str, ...]


#: A row as it comes out of the index: its key, the numbers of its part, group and shape, and four texts of its own,
#: which are JSON.
Stored = tuple[int, str, str, str, str, str, str, str]
_FIELDS = 8


def stored(text: str) -> list[Stored]:
    """Rows from their text, taken apart at once: row by row, a whole answer takes an eighth longer."""
    cells = text.replace(ROW, FIELD).split(FIELD)
    keys, *more = (cells[place::_FIELDS] for place in range(_FIELDS))
    return list(zip(map(int, keys), *more, strict=True))


class Pieces:
    """What the verdicts of one file of the index have in common. Safe to use from several threads."""

    def __init__(self, set_name: str) -> None:
        ruleset, _, reference = set_name.partition("-")
        self._set = _inside({"ruleset": ruleset, "reference": reference})
        self._groups = _Known(_GROUPS, self._group)
        self._shapes = _Known(_SHAPES, _shape)

    def rows(self, db: sqlite3.Connection, found: Sequence[Stored]) -> list[msgspec.Raw]:
        """Verdicts under their public names, in their order."""
        groups = self._groups.of(db, {row[2] for row in found})
        shapes = self._shapes.of(db, {row[3] for row in found})
        return [_row(row, groups[row[2]], shapes[row[3]]) for row in found]

    def _group(self, simulated: int, service: str, place: str, network: str, state: str, vantage: str) -> _Pieces:
        about = {"service": service or None, "place": place, "network": network, "state": state}
        return _inside(about), f"{self._set},{_inside({'simulated': bool(simulated), 'vantage': vantage})}"


class _Known:
    """Pieces by number. What is there once never changes, so it does not matter who read it."""

    def __init__(self, query: str, make: Callable[..., _Pieces]) -> None:
        self._query, self._make = query, make
        self._known: dict[str, _Pieces] = {}

    def of(self, db: sqlite3.Connection, wanted: set[str]) -> Mapping[str, _Pieces]:
        """Pieces, at least those that are wanted."""
        known = self._known
        missing = [number for number in wanted if number not in known]
        if missing and len(known) + len(missing) > _KEPT:
            known = self._known = {}
            missing = list(wanted)
        if missing:
            for number, *row in db.execute(self._query, (f"[{','.join(missing)}]",)):
                known[str(number)] = self._make(*row)
        return known


def _shape(text: str) -> _Pieces:
    return (text[1:-1],)


def _row(found: Stored, group: _Pieces, shape: _Pieces) -> msgspec.Raw:
    _, _, _, _, uid, text, test, at = found
    own = f'"measurement_uid":{uid},"input":{text},"test_name":{test},"measured_at":{at}'
    return msgspec.Raw(f"{{{own},{group[0]},{shape[0]},{group[1]}}}")


def _inside(content: dict[str, Any]) -> str:
    """The fields of an object, without its braces."""
    return msgspec.json.encode(content).decode()[1:-1]
