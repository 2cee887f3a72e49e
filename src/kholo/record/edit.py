"""Changing one key in a file of a case, every other byte left as it is."""

from __future__ import annotations

import tomllib
from typing import Any

from kholo.model import UsageError

from .format import Key, Shape, What
from .read import parsed
from .scan import Places, TooDeep
from .text import nearest, shown
from .write import list_text, value_text


def key_of(shape: Shape, path: str) -> Key:
    """The key that a dotted path such as `source.0.read` leads to. Raises `UsageError` with the nearest one."""
    here, key = shape, None
    for part in path.split("."):
        if part.isdigit() and key is not None and key.what is What.TABLES:
            continue
        key = here.key(part)
        if key is None:
            raise UsageError(f"{shown(part)} is not a key of {here.title}; {nearest(part, here.names)}")
        here = key.shape or Shape(key.name, ())
    if key is None or key.shape is not None:
        raise UsageError(f"{shown(path)} is a table; name a key of it, such as {path}.{here.names[0]}")
    return key


def with_value(text: str, shape: Shape, path: str, value: Any) -> str:
    """The text with the value set at a dotted path; None takes the key out. Raises `UsageError` where that can't be."""
    plain = text.replace("\r\n", "\n")
    places = _places(plain)
    key = key_of(shape, path)
    if path in places.pairs:
        changed = _replaced(plain, places, path, key, value)
    elif value is None:
        raise UsageError(f"{path} is not set; there is nothing to take out")
    else:
        changed = _added(plain, places, shape, path, f"{key.name} = {value_text(value, key.name)}\n")
    return _with_ends_of(text, changed)


def with_items(text: str, shape: Shape, path: str, items: list[Any]) -> str:
    """The text with items added to the list at a dotted path; its comments and its lines stay. Raises `UsageError`."""
    plain = text.replace("\r\n", "\n")
    places = _places(plain)
    if path not in places.pairs:
        return with_value(text, shape, path, items)
    _, begin, end = places.pairs[path]
    now = tomllib.loads(f"value = {plain[begin:end]}")["value"]
    if not isinstance(now, list):
        raise UsageError(f"{path} holds no list now; set it with {path}=")
    name = path.rpartition(".")[2]
    added = list_text(name, [*now, *items], places, path, is_broken="\n" in plain[begin:end])
    return _with_ends_of(text, plain[:begin] + added + plain[end:])


def _with_ends_of(text: str, changed: str) -> str:
    return changed.replace("\n", "\r\n") if "\r\n" in text else changed


def _places(text: str) -> Places:
    try:
        return parsed(text)[0]
    except (ValueError, RecursionError, TooDeep):
        raise UsageError("the file is not TOML; kholo case check says where") from None


def _replaced(text: str, places: Places, path: str, key: Key, value: Any) -> str:
    start, begin, end = places.pairs[path]
    if value is not None:
        return text[:begin] + value_text(value, key.name) + text[end:]
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    if text[first:start].strip():
        raise UsageError(f"{path} stands in braces with others; take it out by hand, or: kholo case fmt")
    return text[:first] + (text[last + 1 :] if last >= 0 else "")


def _added(text: str, places: Places, shape: Shape, path: str, line: str) -> str:
    """A new key goes after the nearest one that comes before it in the format; a new table to the end of the file."""
    table, _, name = path.rpartition(".")
    if table and table not in places.ends:
        return f"{_ended(text)}\n{_header(places, table)}\n{line}"
    names = _names(shape, table)
    before = [f"{table}.{other}" if table else other for other in names[: names.index(name)]]
    after = next((places.pairs[other][2] for other in reversed(before) if other in places.pairs), None)
    if after is None and not table:
        return line + text
    at = text.find("\n", places.ends[table] if after is None else after)
    return _ended(text) + line if at < 0 else text[: at + 1] + line + text[at + 1 :]


def _names(shape: Shape, table: str) -> tuple[str, ...]:
    here = shape
    for part in table.split("."):
        key = here.key(part)
        here = key.shape if key and key.shape else here
    return here.names


def _header(places: Places, table: str) -> str:
    name, _, place = table.rpartition(".")
    if not name:
        if table in places.pairs or f"{table}.0" in places.ends:
            raise UsageError(f"{table} is written in another form; kholo case fmt makes it a table")
        return f"[{table}]"
    count = sum(other.rpartition(".")[0] == name for other in places.ends if other.rpartition(".")[2].isdigit())
    if place != str(count):
        raise UsageError(f"there is no {table}; there are {count} of {name}, counted from 0")
    return f"[[{name}]]"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
