"""Fingerprints of block pages, in OONI's CSV columns, matched in one pass and in time linear in the text.

Columns used: `name, scope, location_found, pattern_type, pattern, expected_countries`. Scope `fp` marks a known false
positive: where one matches, block pages are not looked for. Regular expressions run on RE2, which never backtracks.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import ahocorasick_rs
import msgspec
import re2

from kholo.model import ReferenceDataError

SHIPPED = Path(__file__).with_name("fingerprints.csv")
MAX_FILE = 64 * 1024 * 1024
MAX_PATTERN = 4_096
_COLUMNS = ("name", "scope", "location_found", "pattern_type", "pattern", "expected_countries")
#: Shorter texts (addresses, header values) repeat and are remembered; bodies are not kept.
_SHORT = 256
#: Scopes (OONI's words) of pages shown by a country's or a provider's network, or injected on the path.
_OF_NETWORK = frozenset({"nat", "isp", "prov", "injb"})
_KINDS = ("full", "prefix", "contains", "regexp")


class Fingerprint(msgspec.Struct, frozen=True, order=True):
    """One pattern. `location` is `dns`, `body` or `header.<name>`; `countries` empty means anywhere."""

    name: str
    scope: str
    location: str
    kind: str
    pattern: str
    countries: tuple[str, ...]

    @property
    def is_false_positive(self) -> bool:
        """Marks what looks like a block page and is none."""
        return self.scope == "fp"

    @property
    def is_of_network(self) -> bool:
        """Whether a state's or a provider's network shows it, rather than an institution's or a product's filter."""
        return self.scope in _OF_NETWORK


class _Matcher:
    """Every fingerprint of one location at once."""

    def __init__(self, fingerprints: Iterable[Fingerprint]) -> None:
        self._full: dict[str, list[Fingerprint]] = {}
        self._prefix: dict[str, list[Fingerprint]] = {}
        self._contains: list[Fingerprint] = []
        self._regexp: list[Fingerprint] = []
        for item in fingerprints:
            self._sort_in(item)
        self._automaton = ahocorasick_rs.AhoCorasick([item.pattern for item in self._contains])
        self._longest = sorted({len(prefix) for prefix in self._prefix})
        self._set = re2.Set.SearchSet() if self._regexp else None
        for item in self._regexp:
            assert self._set is not None  # noqa: S101  (says so to the type checker)
            self._set.Add(item.pattern)
        if self._set is not None:
            self._set.Compile()

    def _sort_in(self, item: Fingerprint) -> None:
        if item.kind == "full":
            self._full.setdefault(item.pattern, []).append(item)
        elif item.kind == "prefix":
            self._prefix.setdefault(item.pattern, []).append(item)
        elif item.kind == "contains":
            self._contains.append(item)
        else:
            self._regexp.append(item)

    def match(self, text: str) -> set[Fingerprint]:
        found = set(self._full.get(text, ()))
        for length in self._longest:
            found.update(self._prefix.get(text[:length], ()))
        if self._contains:
            hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
            found.update(self._contains[index] for index, _, _ in hits)
        if self._set is not None:
            found.update(self._regexp[index] for index in self._set.Match(text) or ())
        return found


class Fingerprints:
    """A set of fingerprints. `digest` is SHA-256 of the files, in hex."""

    def __init__(self, fingerprints: list[Fingerprint], digest: str) -> None:
        self.digest = digest
        self.fingerprints = tuple(sorted(fingerprints))
        locations = {item.location for item in fingerprints}
        self._matchers = {
            location: _Matcher(item for item in self.fingerprints if item.location == location)
            for location in sorted(locations)
        }
        self._match_short = lru_cache(maxsize=4_096)(self._match)

    def match(self, location: str, text: str, place: str) -> Fingerprint | None:
        """The fingerprint that names `text` a block page in `place`.

        None when none does, or when a known false positive matches too.
        """
        return (self._match_short if len(text) < _SHORT else self._match)(location, text, place)

    def _match(self, location: str, text: str, place: str) -> Fingerprint | None:
        matcher = self._matchers.get(location)
        if matcher is None or not text:
            return None
        found = matcher.match(text)
        if any(item.is_false_positive for item in found):
            return None
        here = [item for item in found if not item.countries or place in item.countries]
        return min(here, default=None)


def load_fingerprints(paths: tuple[Path, ...] = (SHIPPED,)) -> Fingerprints:
    """Read fingerprints from CSV files. Raises `ReferenceDataError` naming the file and the line."""
    digest = hashlib.sha256()
    rows: list[Fingerprint] = []
    for path in sorted(set(paths)):
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_FILE else b""
        except OSError as error:
            raise ReferenceDataError(f"{path}: can't be read: {error.strerror}") from error
        digest.update(hashlib.sha256(data).digest())
        rows += _read(path, data)
    return Fingerprints(rows, digest.hexdigest())


def _read(path: Path, data: bytes) -> list[Fingerprint]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode()))
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ReferenceDataError(f"{path}:1: the column {missing[0]!r} is missing; needed: {', '.join(_COLUMNS)}")
        return [_row(path, reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReferenceDataError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _row(path: Path, line: int, row: dict[str, str | None]) -> Fingerprint:
    kind, pattern, location = (row[name] or "" for name in ("pattern_type", "pattern", "location_found"))
    where = f"{path}:{line}"
    if kind not in _KINDS:
        raise ReferenceDataError(f"{where}: pattern_type is {kind!r}; allowed: {', '.join(_KINDS)}")
    if not pattern or len(pattern) > MAX_PATTERN:
        raise ReferenceDataError(f"{where}: the pattern must have 1 to {MAX_PATTERN} characters")
    if kind == "regexp":
        try:
            re2.compile(pattern)
        except re2.error as error:
            raise ReferenceDataError(f"{where}: not a regular expression of RE2: {error}") from error
    countries = tuple(sorted(code for code in (row["expected_countries"] or "").replace(" ", "").split(",") if code))
    return Fingerprint(row["name"] or "", row["scope"] or "", location.lower(), kind, pattern, countries)
