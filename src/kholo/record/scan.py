"""Where each key and comment stands in a TOML file: the parser does not say.

A message without a line is no help, and an edit must leave every other byte as it is.
"""

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
_REST = re.compile(r"[ \t\r]*(#[^\n]*)?")
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
    """Keys are dotted paths with places in lists: `source.1.read`, `limits.2`; "" is the file.

    A file that is not TOML is read up to where it stops being it; `inside` is then the key whose value stopped being
    one ("": it was not in a value). Takes time linear in the text. Raises `TooDeep`.

    `pairs`: from where to where `key = value` stands, and where the value begins. `ends`: where the last pair of a
    table ends, or its header. `above` and `after`: comments before a key (or an item, `limits.]` being the end of a
    list) and on its line; `head` and `foot`: those of the file. All places are in characters from 0.
    """

    def __init__(self, text: str) -> None:
        self.inside, self.pairs, self.ends = "", dict[str, tuple[int, int, int]](), {"": 0}
        self.above, self.after = dict[str, list[str]](), dict[str, str]()
        self.head, self.foot = list[str](), list[str]()
        self._text, self._at = text, 0
        self._lines: dict[str, int] = {}
        self._begun: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._pending: list[str] = []
        self._ends = [place for place, char in enumerate(text) if char == "\n"]
        with contextlib.suppress(_Stop):
            self._file()

    @property
    def comments(self) -> list[str]:
        """All comments, sorted."""
        keyed = [comment for lines in self.above.values() for comment in lines]
        return sorted([*self.head, *keyed, *self.after.values(), *self.foot])

    def line_of(self, key: str) -> int:
        """The line (from 1) that sets a key; where it is not set, that of its table; of the file, 1."""
        while key and key not in self._lines:
            key = key.rpartition(".")[0]
        return self._lines.get(key, 1)

    def key_at(self, line: int) -> str:
        """The key that was begun last on a line; "" where there is none."""
        return self._begun.get(line, "")

    def _file(self) -> None:
        table = ""
        while True:
            gap = self._gap()
            if not self._lines and self._pending and gap[len(gap.rstrip()) :].count("\n") > 1:
                self.head, self._pending = self._pending, []
            if self._at >= len(self._text):
                self.foot = self._pending
                return
            if self._text[self._at] == "[":
                path = table = self._header()
            else:
                path = self._pair(table, 1)
            self.ends[table] = self._at
            rest = _REST.match(self._text, self._at)
            if rest:
                self._at = rest.end()
                if rest[1]:
                    self.after[path] = rest[1].strip()
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
        self._attach(path)
        return path

    def _pair(self, table: str, depth: int) -> str:
        start, path = self._at, table
        for part in self._dotted():
            path = _joined(path, part)
            self._note(path, start)
        self._attach(path)
        self._expect("=")
        outer, self.inside = self.inside, path
        self._skip(_SPACE)
        value = self._at
        self._value(path, depth)
        self.inside = outer
        self.pairs[path] = start, value, self._at
        return path

    def _value(self, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep(self._line(self._at))
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._array(path, depth)
        elif opening == "{":
            self._inline(path, depth)
        else:
            self._take(_STRING if opening in ('"', "'") else _SCALAR)

    def _array(self, path: str, depth: int) -> None:
        self._at += 1
        self._gap()
        place = 0
        while not self._closes("]"):
            item = _joined(path, str(place))
            self._note(item, self._at)
            self._attach(item)
            self._value(item, depth + 1)
            place += 1
            self._next("]", item)
        self._attach(_joined(path, "]"))

    def _inline(self, path: str, depth: int) -> None:
        self._at += 1
        self._gap()
        while not self._closes("}"):
            self._next("}", self._pair(path, depth + 1))

    def _closes(self, mark: str) -> bool:
        if self._text.startswith(mark, self._at):
            self._at += 1
            return True
        return False

    def _next(self, mark: str, item: str) -> None:
        """Past the comma to the next item, or up to the closing mark; a comment on the line belongs to the item."""
        self._gap(item)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._gap(item)
        elif not self._text.startswith(mark, self._at):
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

    def _gap(self, item: str = "") -> str:
        """Skip blanks, lines and comments; the comments wait for what comes next."""
        match = _GAP.match(self._text, self._at)
        gap = match[0] if match else ""
        self._at += len(gap)
        for place, line in enumerate(gap.split("\n") if "#" in gap else ()):
            comment = line.strip()
            if comment and not place and item:
                self.after[item] = comment
            elif comment:
                self._pending.append(comment)
        return gap

    def _attach(self, path: str) -> None:
        if self._pending:
            self.above[path], self._pending = self._pending, []

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
