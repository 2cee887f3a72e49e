"""Reading the TOML of a case with care: each mistake becomes a problem, and reading goes on."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kholo.model import Problem

from .scan import line_of

MAX_FILE = 1 << 20
MAX_TEXT = 20_000
IDENTITY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: Characters that turn the direction of reading: a name could show as another one.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TOML_LINE = re.compile(r"at line (\d+)")


class Problems:
    """Collects what is wrong in one case."""

    def __init__(self) -> None:
        self.found: list[Problem] = []


class Table:
    """One table of a TOML file. Every read names what is allowed; what was not read is unknown in the end."""

    def __init__(self, name: str, text: str, values: dict[str, Any], problems: Problems, prefix: str = "") -> None:
        self._file, self._text, self._values = name, text, values
        self._problems, self._prefix = problems, prefix
        self._asked: list[str] = []

    def problem(self, key: str, message: str) -> None:
        """Note a mistake at a key of this table ("": the table, or the file, as a whole)."""
        dotted = ".".join(part for part in (self._prefix, key) if part)
        line = line_of(self._text, dotted) if dotted else 0
        self._problems.found.append(Problem(self._file, line, dotted, message))

    def has(self, key: str) -> bool:
        """Whether the key is set."""
        return key in self._values

    def _take(self, key: str, needed: bool) -> Any:
        self._asked.append(key)
        if key not in self._values and needed:
            self.problem(key, f"is missing; {self._where()} needs it")
        return self._values.get(key)

    def _where(self) -> str:
        return f"[{self._prefix.split('.')[0]}]" if self._prefix else "this file"

    def text(self, key: str, needed: bool = True) -> str:
        """A text that is not empty and holds nothing that hides or turns; "" where it is wrong or not set."""
        value = self._take(key, needed)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problem(key, f"must be a text in quotes, not {_kind(value)}")
            return ""
        return self._clean(key, value)

    def _clean(self, key: str, value: str) -> str:
        if not value.strip():
            self.problem(key, "is empty; write something or leave the key out")
            return ""
        if len(value) > MAX_TEXT:
            self.problem(key, f"has {len(value)} characters; {MAX_TEXT} are allowed")
            return ""
        for char in value:
            if char in _BIDI or (unicodedata.category(char) in ("Cc", "Cs") and char != "\n"):
                self.problem(key, f"holds the invisible character U+{ord(char):04X}; take it out")
                return ""
        return value.strip()

    def identity(self, key: str) -> str:
        """An id of lower-case letters, digits and single hyphens."""
        value = self.text(key)
        if value and (not IDENTITY.fullmatch(value) or len(value) > 80):
            self.problem(key, f"{value!r} is no id; use a-z, 0-9 and single hyphens, such as f14 or shc-order")
            return ""
        return value

    def choice(self, key: str, allowed: Iterable[str], what: str = "") -> str:
        """One of the allowed values; the nearest is suggested."""
        value, known = self.text(key), sorted(allowed)
        if value and value not in known:
            self.problem(key, f"{value!r} is not {what or 'allowed'}; {nearest(value, known)}")
            return ""
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where it is not set."""
        value = self._take(key, needed=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, 'must be a list of texts, such as ["one", "two"]')
            return ()
        return tuple(clean for item in value if (clean := self._clean(key, item)))

    def flag(self, key: str) -> bool:
        """true or false; false where it is not set."""
        value = self._take(key, needed=False)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(key, "must be true or false, without quotes")
        return False

    def day(self, key: str, needed: bool = True) -> date | None:
        """A date without a time."""
        value = self._take(key, needed)
        if value is None:
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            self.problem(key, f"must be a date without quotes, such as 2024-02-17, not {_kind(value)}")
            return None
        return self._within(key, value)

    def moment(self, key: str, needed: bool = True) -> datetime | None:
        """A time in UTC; a date alone is its first moment."""
        value = self._take(key, needed)
        if value is None:
            return None
        if isinstance(value, datetime):
            if value.tzinfo is None:
                self.problem(key, "has no time zone; write 2024-02-17T18:00:00Z (UTC)")
                return None
            return value.astimezone(UTC) if self._within(key, value.date()) else None
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC) if self._within(key, value) else None
        self.problem(key, f"must be a date or a time without quotes, such as 2024-02-17, not {_kind(value)}")
        return None

    def _within(self, key: str, value: date) -> date | None:
        if 1990 <= value.year <= 2100:
            return value
        self.problem(key, f"is {value}; years from 1990 to 2100 are allowed")
        return None

    def table(self, key: str) -> Table | None:
        """A table inside this one; None where it is not set."""
        value = self._take(key, needed=False)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.problem(key, f"must be a table: a line [{key}], and its keys below")
            return None
        return Table(self._file, self._text, value, self._problems, key)

    def tables(self, key: str) -> list[Table]:
        """A list of tables (`[[key]]`), at least one."""
        value = self._take(key, needed=True)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, f"must be a list of tables: a line [[{key}]] before each")
            return []
        return [
            Table(self._file, self._text, item, self._problems, f"{key}.{place}") for place, item in enumerate(value)
        ]

    def done_with(self, *others: str) -> None:
        """As `done`, with keys that may stand here though they were not asked for this time."""
        self._asked += [key for key in others if key not in self._asked]
        self.done()

    def done(self) -> None:
        """Everything was asked for: what else is set is a misspelling, or not of this format."""
        for key in self._values:
            if key not in self._asked:
                self.problem(key, f"is not a key of {self._where()}; {nearest(key, self._asked)}")


def nearest(value: str, known: Iterable[str]) -> str:
    """What is allowed, the nearest first."""
    names = list(known)
    close = difflib.get_close_matches(value, names, n=1, cutoff=0.5)
    allowed = f"allowed: {', '.join(names)}" if names else "there is none yet"
    return f"did you mean {close[0]!r}? {allowed}" if close else allowed


def _kind(value: Any) -> str:
    kinds = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a time" if isinstance(value, datetime) else "a date")


def open_toml(folder: Path, name: str, problems: Problems) -> Table | None:
    """Read one file of the case; None, and a problem, where it can't be read."""
    path = folder / name
    try:
        if path.is_symlink() or path.stat().st_size > MAX_FILE:
            problems.found.append(Problem(name, 0, "", f"must be a file of at most {MAX_FILE >> 20} MiB, not a link"))
            return None
        text = path.read_bytes().decode("utf-8")
        return Table(name, text, tomllib.loads(text), problems)
    except FileNotFoundError:
        problems.found.append(Problem(name, 0, "", "is missing"))
    except OSError as error:
        problems.found.append(Problem(name, 0, "", f"can't be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        problems.found.append(Problem(name, 0, "", f"is not UTF-8 (byte {error.start}); save it as UTF-8"))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        found = _TOML_LINE.search(str(error))
        problems.found.append(Problem(name, int(found[1]) if found else 0, "", f"is not TOML: {error}"))
    return None
