"""`effect.toml` of a case: the numbers that an estimate of the effect on people needs, each with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kholo.model import CaseError, EffectInput, Range, UsageError

from .archived import Copies, source_of
from .files import Files, Problems
from .format import MAX_LINE, SOURCE, Key, Shape, What
from .read import Table, open_toml
from .text import nearest, shown
from .values import Words

FILE = "effect.toml"
ENDS = ("low", "central", "high")
MAX_NETWORKS = 500

_NUMBERS = (
    Key("low", What.NUMBER, "the lowest value that the sources allow", True),
    Key("central", What.NUMBER, "the value that is most likely", True),
    Key("high", What.NUMBER, "the highest value that the sources allow", True),
    Key("year", What.NUMBER, "the year that it is true of", True),
    Key("says", What.TEXT, "what it is, and why the range is what it is", True),
    Key("assumption", What.FLAG, "nobody published it so: it is an assumption, to be reviewed"),
    Key("source", What.TABLES, "where it was read", True, shape=SOURCE),
)
_INPUT = Shape("an input", _NUMBERS)
_MONEY = Shape(
    "an input in money",
    (Key("currency", What.LINE, "three capitals (ISO 4217), such as USD", True, longest=3), *_NUMBERS),
)
_NETWORK = Shape("a network", (Key("network", What.LINE, "AS and a number", True, longest=MAX_LINE), *_NUMBERS))

#: Every input with its unit, and the highest value that it can have.
UNITS: Mapping[str, tuple[str, float | None]] = {
    "population": ("people", None),
    "users": ("people", None),
    "use": ("hours of use per user and day", 24.0),
    "gdp": ("per year", None),
    "digital_share": ("share", 1.0),
    "service_share": ("share", 1.0),
}
#: The file as a shape: a table an input, and the networks' shares of the users.
EFFECT = Shape(
    "this file",
    (
        Key("population", What.TABLE, "people who live in the place", shape=_INPUT),
        Key("users", What.TABLE, "people who used the service before the block", shape=_INPUT),
        Key("use", What.TABLE, "hours that one of them used it a day", shape=_INPUT),
        Key("gdp", What.TABLE, "gross domestic product of the place in a year", shape=_MONEY),
        Key("digital_share", What.TABLE, "share of it that depends on the Internet", shape=_INPUT),
        Key("service_share", What.TABLE, "share of that which depends on the service", shape=_INPUT),
        Key("network", What.TABLES, "share of the users who are on one network", shape=_NETWORK),
    ),
)


def load_effect(folder: Path) -> tuple[EffectInput, ...]:
    """The inputs of a case, sorted by name; none where there is no `effect.toml`. Raises `CaseError`."""
    problems = Problems()
    found = read_effect(Files(folder), problems)
    if problems.found:
        raise CaseError(problems.found)
    return found


def read_effect(files: Files, problems: Problems) -> tuple[EffectInput, ...]:
    """The same, with mistakes noted beside those of the rest of the case."""
    if not files.has(FILE):
        return ()
    table = open_toml(files, FILE, problems)
    if table is None:
        return ()
    table.read(EFFECT, Words())
    copies = Copies(files, problems)
    found = [
        _input(inside, name, *UNITS[name], copies)
        for name in UNITS
        if isinstance(inside := table.values.get(name), Table)
    ]
    found += _networks(table, copies)
    return tuple(sorted(found, key=lambda item: item.name))


def _networks(table: Table, copies: Copies) -> list[EffectInput]:
    rows = table.values.get("network", [])
    if len(rows) > MAX_NETWORKS:
        table.problem("network", f"stands {len(rows)} times; {MAX_NETWORKS} networks are allowed")
        return []
    found: dict[str, EffectInput] = {}
    for row in rows:
        name = row.values.get("network", "")
        if name and not (name.startswith("AS") and name[2:].isascii() and name[2:].isdigit()):
            row.problem("network", f"{shown(name)} is no network; AS and a number, such as AS17557")
        elif name in found:
            row.problem("network", f"{shown(name)} stands twice; one share each")
        found[name] = _input(row, name, "share", 1.0, copies)
    if sum(item.range.low for item in found.values()) > 1:
        table.problem("network", "the low ends of the shares add up to more than 1: these can't be shares of one whole")
    return list(found.values())


def _input(table: Table, name: str, unit: str, most: float | None, copies: Copies) -> EffectInput:
    found = table.values
    ends: list[float] = [found.get(end, 0.0) for end in ENDS]
    if all(end in found for end in ENDS) and ends != sorted(ends):
        table.problem("central", "low, central and high must stand in this order")
    for end in ENDS:
        if most is not None and found.get(end, 0.0) > most:
            table.problem(end, f"is {found[end]:g}; at most {most:g} is possible ({unit})")
    year = found.get("year", 2000.0)
    if not (1990 <= year <= 2100 and year == int(year)):
        table.problem("year", f"is {year:g}; a year from 1990 to 2100 is needed")
    currency = found.get("currency", "")
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        table.problem("currency", f"{shown(currency)} is no currency; three capitals, such as USD")
    return EffectInput(
        name=name,
        range=Range(*ends),
        unit=f"{currency} {unit}".strip(),
        year=int(year),
        says=found.get("says", ""),
        sources=tuple(source_of(source, copies) for source in found.get("source", [])),
        is_assumption=found.get("assumption", False),
    )


def with_changes(inputs: Iterable[EffectInput], changes: Mapping[str, float]) -> tuple[EffectInput, ...]:
    """The inputs with ends set by hand (`{"users.high": 6e6}`), which are then marked as such.

    Only what has a source can be changed: a number without one makes no estimate. Raises `UsageError`.
    """
    known = {item.name: item for item in inputs}
    for path, value in changes.items():
        name, _, end = path.rpartition(".")
        if name not in known:
            there = nearest(name, sorted(known)) if known else f"the case has no {FILE} yet"
            raise UsageError(f"--set {shown(path)}: no input of the case has this name, and without a source; {there}")
        if end not in ENDS:
            raise UsageError(f"--set {shown(path)}: after the point stands low, central or high")
        known[name] = _changed(known[name], end, value)
    for item in known.values():
        if not item.range.low <= item.range.central <= item.range.high:
            raise UsageError(f"--set: of {item.name}, low, central and high must stand in this order")
    return tuple(known.values())


def _changed(item: EffectInput, end: str, value: float) -> EffectInput:
    most = UNITS[item.name][1] if item.name in UNITS else 1.0
    if value < 0 or (most is not None and value > most):
        raise UsageError(f"--set {item.name}.{end}: {value:g} is not possible ({item.unit})")
    fields: dict[str, Any] = {end: value}
    return msgspec.structs.replace(
        item,
        range=msgspec.structs.replace(item.range, **fields),
        changed=tuple(sorted({*item.changed, end})),
    )
