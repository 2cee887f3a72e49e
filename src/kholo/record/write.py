"""Values and whole files of a case as TOML text, in one layout: what `new`, `add`, `edit` and `fmt` write."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from kholo.model import UsageError

from .format import Shape
from .read import parsed
from .scan import Places, TooDeep
from .text import shown

#: Columns of a list that stands on one line.
WIDTH = 88
_INDENT = "  "


def value_text(value: Any, name: str = "") -> str:
    """A value as TOML; `name` is the key before it, for lists that have to be broken into lines."""
    if isinstance(value, list | tuple):
        return list_text(name, list(value))
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, date | time):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if isinstance(value, datetime) and text.endswith("+00:00") else text
    return repr(value)


def file_text(values: Mapping[str, Any], shape: Shape, places: Places | None = None) -> str:
    """A whole file: keys in the order of the format, then those it does not know; comments stay with their keys."""
    known = places or Places("")
    lines = [*known.head, *([""] if known.head else []), *_table(values, shape, (), "", known)]
    return "\n".join([*lines, *([""] if known.foot else []), *known.foot]) + "\n"


def formatted(text: str, shape: Shape) -> str:
    """The text of a file in the one layout, in which it stays. Raises `UsageError` where it is no TOML."""
    try:
        places, values = parsed(text)
        written = file_text(values, shape, places)
    except (ValueError, RecursionError, TooDeep):
        raise UsageError("it is not TOML, and was left as it is; kholo case check says where") from None
    lost = set(places.comments) - set(Places(written).comments)
    if lost:
        raise UsageError(f"the comment {shown(min(lost))} has no place in the layout; move it above a key")
    return written


def _table(
    values: Mapping[str, Any], shape: Shape | None, names: tuple[str, ...], path: str, places: Places
) -> list[str]:
    """The lines of a table: plain keys first, then tables and lists of tables, each after an empty line.

    `names` are those of its header; `path` is the same with places in lists, as comments are known by.
    """
    lines: list[str] = []
    below: list[str] = []
    for name in _ordered(values, shape):
        value, here = values[name], f"{path}.{name}" if path else name
        key = shape.key(name) if shape else None
        inner = key.shape if key else None
        if isinstance(value, dict) and value:
            below += ["", *_headed("[{}]", value, inner, (*names, name), here, places)]
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for place, item in enumerate(value):
                below += ["", *_headed("[[{}]]", item, inner, (*names, name), f"{here}.{place}", places)]
        else:
            lines += places.above.get(here, [])
            text = list_text(name, value, places, here) if isinstance(value, list) else ""
            lines.append(f"{_key(name)} = {text or value_text(value, name)}{_after(places, here)}")
    return lines + below


def _headed(
    header: str, values: Mapping[str, Any], shape: Shape | None, names: tuple[str, ...], path: str, places: Places
) -> list[str]:
    line = header.format(".".join(_key(name) for name in names)) + _after(places, path)
    return [*places.above.get(path, []), line, *_table(values, shape, names, path, places)]


def _ordered(values: Mapping[str, Any], shape: Shape | None) -> Iterable[str]:
    names = shape.names if shape else ()
    return [*(name for name in names if name in values), *(name for name in values if name not in names)]


def _after(places: Places, path: str) -> str:
    return f"  {places.after[path]}" if path in places.after else ""


def _key(name: str) -> str:
    is_bare = name and all(char.isascii() and (char.isalnum() or char in "_-") for char in name)
    return name if is_bare else _quoted(name)


def list_text(
    name: str, items: list[Any], places: Places | None = None, path: str = "", is_broken: bool = False
) -> str:
    """A list on one line where it is short and has no comments, else one item a line.

    `places` know the comments of the list at `path`; `is_broken`: it has to have one item a line.
    """
    known = places or Places("")
    spots = [f"{path}.{spot}" for spot in range(len(items))]
    end = known.above.get(f"{path}.]", [])
    line = f"[{', '.join(value_text(item) for item in items)}]"
    is_commented = end or any(spot in known.above or spot in known.after for spot in spots)
    if not (is_broken or is_commented) and len(name) + len(line) + 3 <= WIDTH and "\n" not in line:
        return line
    lines = ["["]
    for spot, item in zip(spots, items, strict=True):
        lines += [f"{_INDENT}{comment}" for comment in known.above.get(spot, [])]
        text = _quoted(_clean(item)) if isinstance(item, str) else value_text(item)
        lines.append(f"{_INDENT}{text},{_after(known, spot)}")
    return "\n".join([*lines, *(f"{_INDENT}{comment}" for comment in end), "]"])


def _string(text: str) -> str:
    clean = _clean(text)
    if "\n" not in clean:
        return _quoted(clean)
    lines = [_quoted(line)[1:-1].replace('\\"', '"') for line in clean.split("\n")]
    # Of quotes in a row, and of one at the end, only the text itself can tell where it ends.
    body = re.sub(r'"(?="|\Z)', r'\\"', "\n".join(lines))
    return f'"""\n{body}"""'


def _clean(text: str) -> str:
    """As reading takes it: in NFC, and without blanks around."""
    return unicodedata.normalize("NFC", text.strip())


def _quoted(text: str) -> str:
    """A text on one line. What JSON escapes, TOML reads; TOML wants one more character escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
