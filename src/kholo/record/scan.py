"""Where a key stands in a TOML file: the parser does not say, and a message without a line is no help."""

from __future__ import annotations

import re

_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*=""")
_TABLE = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?")


def line_of(text: str, key: str) -> int:
    """The line (from 1) that sets a dotted key such as `source.1.read`; of its table, or 0, where it is not set."""
    parts = key.split(".")
    wanted, table, nth = _split(parts)
    seen: dict[str, int] = {}
    current, count, table_line = "", 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            current = match[1]
            count = seen.get(current, 0)
            seen[current] = count + 1
            if count == nth and current == (table or wanted):
                table_line = number
        elif (match := _KEY.match(line)) and current == table and count == nth and wanted:
            name = match[1] or match[2] or match[3]
            if name == wanted:
                return number
    return table_line


def _split(parts: list[str]) -> tuple[str, str, int]:
    """A dotted key as its last name, its table, and which of the tables of that name (from 0)."""
    nth = next((int(part) for part in parts if part.isdigit()), 0)
    names = [part for part in parts if not part.isdigit()]
    if len(parts) == 1:
        return parts[0], "", 0
    if parts[-1].isdigit():
        return "", names[0], nth
    return names[-1], names[0], nth
