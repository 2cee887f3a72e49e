"""Where each key stands in a TOML file: the parser does not say, and a message without a line is no help."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right

#: Parts of one dotted key, and brackets inside brackets. The format needs three; the parser would take any number.
MAX_DEPTH = 8
#: Characters of a key that are looked at: a path must not grow with a key that means nothing.
_LONGEST = 100
_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST = re.compile(r"[ \t\r]*(?:#[^\n]*)?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|(?!\"\"\"|''')" + r'(?:"(?:[^"\\\n]|\\[^\n])*"|' + r"'[^'\n]*')",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^\s,\[\]{}\"'#=](?:[^,\]}#\n]*[^\s,\]}#\n])?")


class _Stop(Exception):
    """Not TOML from here on."""


class TooDeep(Exception):
    """Nested deeper than the format ever needs. Carries the line."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"nested more than {MAX_DEPTH} deep")


class Places:
    """The line (from 1) of every key, as dotted paths with places in lists: `source.1.read`, `limits.2`.

    A file that is not TOML is read up to where it stops being it; `inside` is then the key whose value stopped being
    one ("": it was not in a value). Takes time linear in the text. Raises `TooDeep`.
    """

    def __init__(self, text: str) -> None:
        self.inside = ""
        self._text, self._at = text, 0
        self._lines: dict[str, int] = {}
        self._begun: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._ends = [place for place, char in enumerate(text) if char == "\n"]
        with contextlib.suppress(_Stop):
            self._file()

    def line_of(self, key: str) -> int:
        """The line that sets a key; where it is not set, that of the table it is missing in; of the file, 1."""
        while key and key not in self._lines:
            key = key.rpartition(".")[0]
        return self._lines.get(key, 1)

    def key_at(self, line: int) -> str:
        """The key that was begun last on a line; "" where there is none."""
        return self._begun.get(line, "")

    def _file(self) -> None:
        table = ""
        while True:
            self._skip(_GAP)
            if self._at >= len(self._text):
                return
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table, 1)
            self._skip(_REST)
            if self._at < len(self._text) and self._text[self._at] != "\n":
                raise _Stop

    def _header(self) -> str:
        start, is_list = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if is_list else 1
        parts = self._dotted()
        self._expect("]]" if is_list else "]")
        path = ""
        for place, part in enumerate(parts):
            path = _joined(path, part)
            if is_list and place == len(parts) - 1:
                self._counts[path] = count = self._counts.get(path, -1) + 1
                self._note(path, start)
                path = _joined(path, str(count))
            elif path in self._counts:
                path = _joined(path, str(self._counts[path]))
            self._note(path, start)
        return path

    def _pair(self, table: str, depth: int) -> None:
        start, path = self._at, table
        for part in self._dotted():
            path = _joined(path, part)
            self._note(path, start)
        self._expect("=")
        outer, self.inside = self.inside, path
        self._value(path, depth)
        self.inside = outer

    def _value(self, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep(self._line(self._at))
        self._skip(_SPACE)
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._array(path, depth)
        elif opening == "{":
            self._inline(path, depth)
        else:
            self._take(_STRING if opening in ('"', "'") else _SCALAR)

    def _array(self, path: str, depth: int) -> None:
        self._at += 1
        place = 0
        while True:
            self._skip(_GAP)
            if self._text.startswith("]", self._at):
                self._at += 1
                return
            item = _joined(path, str(place))
            self._note(item, self._at)
            self._value(item, depth + 1)
            place += 1
            self._skip(_GAP)
            if self._text.startswith(",", self._at):
                self._at += 1
            elif not self._text.startswith("]", self._at):
                raise _Stop

    def _inline(self, path: str, depth: int) -> None:
        self._at += 1
        while True:
            self._skip(_GAP)
            if self._text.startswith("}", self._at):
                self._at += 1
                return
            self._pair(path, depth + 1)
            self._skip(_GAP)
            if self._text.startswith(",", self._at):
                self._at += 1
            elif not self._text.startswith("}", self._at):
                raise _Stop

    def _dotted(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            is_quoted = self._text[self._at : self._at + 1] in ('"', "'")
            part = self._take(_STRING if is_quoted else _BARE)
            parts.append((part[1:-1] if is_quoted else part)[:_LONGEST])
            if len(parts) > MAX_DEPTH:
                raise TooDeep(self._line(self._at))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _note(self, path: str, at: int) -> None:
        line = self._line(at)
        self._lines.setdefault(path, line)
        self._begun[line] = path

    def _line(self, at: int) -> int:
        return bisect_right(self._ends, at - 1) + 1

    def _skip(self, what: re.Pattern[str]) -> None:
        if match := what.match(self._text, self._at):
            self._at = match.end()

    def _take(self, what: re.Pattern[str]) -> str:
        match = what.match(self._text, self._at)
        if match is None:
            raise _Stop
        self._at = match.end()
        return match[0]

    def _expect(self, mark: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(mark, self._at):
            raise _Stop
        self._at += len(mark)


def _joined(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
