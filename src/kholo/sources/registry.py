"""All sources there are: each module of this room that has a `SOURCE` is one. Adding a module adds it everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import msgspec

from .envelope import Refused
from .guard import guarded
from .items import Item
from .source import Context, CsvTable, Given, Reader, Source

#: What most items are, and so is asked first.
_FIRST = "ooni"


@cache
def sources() -> tuple[Source, ...]:
    """Every source, OONI first, the others by id."""
    package = __name__.rpartition(".")[0]
    path = import_module(package).__path__
    modules = (import_module(f"{package}.{module.name}") for module in iter_modules(path))
    found = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return tuple(sorted(found, key=lambda source: (source.id != _FIRST, source.id)))


def decode(item: Item, context: Context) -> Iterator[Given]:
    """What one item holds, by the source that recognises it; or a reject with its reason."""
    return guarded(item, _decoded(item, context))


def _decoded(item: Item, context: Context) -> Iterator[Given]:
    for source in sources():
        if source.recognises(item.data):
            yield from source.decode(item, context)
            return
    msgspec.json.decode(item.data)
    raise Refused("unknown_row", f"a row of none of the sources: {', '.join(one.name for one in sources())}")


def csv_table(columns: list[str]) -> CsvTable:
    """The kind of table that has these columns. Raises `Refused` where there is none."""
    tables = [(source, table) for source in sources() for table in source.tables]
    for _, table in tables:
        if set(table.needed) <= set(columns):
            return table
    source, nearest = min(tables, key=lambda pair: len(set(pair[1].needed) - set(columns)))
    missing = [column for column in nearest.needed if column not in columns]
    raise Refused("wrong_columns", f"a table of no source; for one of {source.name} it lacks {', '.join(missing)}")


def reader(filename: str) -> Reader | None:
    """The reader of files with such a name, where a source has one."""
    for source in sources():
        for pattern, opened in source.files:
            if fnmatchcase(filename, pattern):
                return opened
    return None
