"""Reading the TOML of a case with care: each mistake becomes a problem, and reading goes on."""

from __future__ import annotations

import tomllib
from functools import partial
from typing import Any

from .files import Files, Problems
from .format import Key, Shape, What
from .scan import MAX_DEPTH, Places, TooDeep
from .syntax import advice
from .text import closest, nearest, shown
from .values import Words, value_of


class Table:
    """One table of a TOML file, read by its `Shape`. `raw` is what stands there.

    `values`: what is right of it, once it was read. `meant`: keys that are not set but were meant by misspelt ones.
    """

    def __init__(
        self,
        file: str,
        places: Places,
        raw: dict[str, Any],
        problems: Problems,
        path: str = "",
        over: Shape | None = None,
    ) -> None:
        self.file, self._places, self.raw = file, places, raw
        self._problems, self._path, self._over = problems, path, over
        self.values: dict[str, Any] = {}
        self.meant: set[str] = set()

    def problem(self, key: str, message: str, *inside: int) -> None:
        """Note a mistake at a key of this table ("": the table as a whole), and at an item inside of it."""
        dotted = ".".join(str(part) for part in (self._path, key, *inside) if part != "")
        self._problems.note(self.file, message, _printable(dotted), self._places.line_of(dotted))

    def has(self, key: str) -> bool:
        """Whether the key is set, rightly or wrongly."""
        return key in self.raw

    def read(self, shape: Shape, words: Words) -> None:
        """Read every key that the shape knows; note what is missing, wrong, or not of the format."""
        if self._problems.is_full:
            return
        self._unknown(shape)
        for key in shape.keys:
            if key.name in self.raw:
                value = self._value(key, shape, words)
                if value is not None:
                    self.values[key.name] = value
            elif key.is_needed and key.name not in self.meant:
                self.problem(key.name, f"is missing; {shape.title} needs it: {key.says}")

    def _unknown(self, shape: Shape) -> None:
        """Note keys that are none."""
        free = [name for name in shape.names if name not in self.raw]
        for name in self.raw:
            if name in shape.names or self._problems.is_full:
                continue
            if self._over and name in self._over.names:
                self.problem(name, f"is no key of {shape.title} but of the file: move it above the first [table]")
                continue
            self.meant.add(closest(name, free))
            self.problem(name, f"is not a key of {shape.title}; {nearest(name, free or shape.names)}")

    def _value(self, key: Key, shape: Shape, words: Words) -> Any:
        raw = self.raw[key.name]
        if key.what is What.TABLE:
            return self._table(key, raw, shape, words)
        if key.what is What.TABLES:
            return self._tables(key, raw, shape, words)
        return value_of(key, raw, words, partial(self.problem, key.name))

    def _table(self, key: Key, raw: Any, shape: Shape, words: Words) -> Table | None:
        if not isinstance(raw, dict):
            two = " (one pair of brackets, and once)" if isinstance(raw, list) else ""
            self.problem(key.name, f"must be a table: a line [{key.name}]{two}, and its keys below")
            return None
        return self._below(key, raw, shape, words, key.name)

    def _tables(self, key: Key, raw: Any, shape: Shape, words: Words) -> list[Table] | None:
        if not isinstance(raw, list) or not raw or not all(isinstance(item, dict) for item in raw):
            self.problem(key.name, f"must be a list of tables: a line [[{key.name}]] before each")
            return None
        return [self._below(key, item, shape, words, f"{key.name}.{place}") for place, item in enumerate(raw)]

    def _below(self, key: Key, raw: dict[str, Any], shape: Shape, words: Words, path: str) -> Table:
        table = Table(self.file, self._places, raw, self._problems, path, shape)
        if key.shape is not None:
            table.read(key.shape, words)
        return table


def parsed(text: str) -> tuple[Places, dict[str, Any]]:
    """The places and the values of a text. Raises `TooDeep`, `ValueError` or `RecursionError`."""
    # The places come first: the time that the parser takes grows with the square of the parts of a key.
    return Places(text), tomllib.loads(text)


def open_toml(files: Files, name: str, problems: Problems) -> Table | None:
    """Read one file of the case; None, and a problem, where it can't be read."""
    text = files.text(name, problems)
    if text is None:
        return None
    try:
        places = Places(text)
    except TooDeep as error:
        problems.note(name, f"is nested more than {MAX_DEPTH} deep; this format needs three", line=error.line)
        return None
    try:
        return Table(name, places, tomllib.loads(text), problems)
    except (ValueError, RecursionError) as error:
        line, message, is_open = advice(text, error)
        if is_open and places.inside:
            line = places.line_of(places.inside)
        problems.note(name, message, _printable(places.inside or places.key_at(line)), line)
    return None


def _printable(key: str) -> str:
    """A key as a message shows it: a key may be any text, even one that a terminal would act on."""
    return key if key.isprintable() and len(key) <= 100 else shown(key)
