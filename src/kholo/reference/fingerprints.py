"""Fingerprints of block pages, matched in one pass and in time linear in the text.

Two kinds of file. OONI's CSV, of which the columns `name, scope, location_found, pattern_type, pattern,
expected_countries` are used; and Censored Planet's signatures, JSON Lines of `fingerprint` and `pattern`, whose name
tells the scope (`docs/fingerprints.md`). Scope `fp` marks a known false positive: where one matches, nothing is a block
page. All patterns of a place run together on Hyperscan, which never backtracks.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import hyperscan
import msgspec

from kholo.model import ReferenceDataError

from .files import read

SHIPPED = Path(__file__).with_name("fingerprints.csv")
MAX_PATTERN = 4_096
_COLUMNS = ("name", "scope", "location_found", "pattern_type", "pattern", "expected_countries")
#: Shorter texts (addresses, header values) repeat and are remembered; bodies are not kept.
_SHORT = 256
#: Scopes (OONI's words) of pages shown by a country's or a provider's network, or injected on the path.
_OF_NETWORK = frozenset({"nat", "isp", "prov", "injb"})
_KINDS = ("full", "prefix", "contains", "regexp")
#: Where Censored Planet's signatures look: the headers and the body as one text.
PAGE = "page"
#: In the name of a file of signatures: what it lists is no block page.
_FALSE = "false_positive"
#: The first letter of a name of Censored Planet's, and the scope that it stands for.
_LETTERS = {"a": "prod", "b": "nat", "c": "isp", "d": "inst", "e": "unk", "f": "gen"}
_CENSORED_PLANET = re.compile(r"([a-f])_[a-z]+_(?:([a-z]{2})(?:_|$))?", re.ASCII)

_SCHOOL = re.compile(r"_(?:uni|edu)(?:_|$|[a-z])")
#: Codes in the names that are not of ISO 3166.
_ISO = {"UK": "GB"}


class Fingerprint(msgspec.Struct, frozen=True, order=True):
    """One pattern. `location` is `dns`, `body`, `page` or `header.<name>`; `countries` empty means anywhere."""

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

    @property
    def expression(self) -> bytes:
        """The pattern as one of Hyperscan's regular expressions."""
        if self.kind == "regexp":
            return self.pattern.encode()
        literal = b"".join(_escaped(byte) for byte in self.pattern.encode())
        start = rb"\A" if self.kind in ("full", "prefix") else b""
        return start + literal + (rb"\z" if self.kind == "full" else b"")


def _escaped(byte: int) -> bytes:
    char = bytes((byte,))
    return char if char.isalnum() else rb"\x%02x" % byte


_FLAGS = hyperscan.HS_FLAG_SINGLEMATCH
_FLAGS_PAGE = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL


class _Matcher:
    """Every fingerprint of one location at once."""

    def __init__(self, fingerprints: Iterable[Fingerprint]) -> None:
        self._fingerprints = tuple(fingerprints)
        self._database = _compiled(self._fingerprints)

    def match(self, text: str) -> list[Fingerprint]:
        found: list[Fingerprint] = []

        def take(place: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            found.append(self._fingerprints[place])

        self._database.scan(text.encode("utf-8", "replace"), match_event_handler=take)
        return found


def _compiled(fingerprints: tuple[Fingerprint, ...]) -> hyperscan.Database:
    """Raises `hyperscan.HyperscanError` when one of them is no expression that runs in linear time."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[item.expression for item in fingerprints],
        ids=list(range(len(fingerprints))),
        elements=len(fingerprints),
        flags=[_FLAGS_PAGE if item.location == PAGE else _FLAGS for item in fingerprints],
    )
    return database


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
        self._found_short = lru_cache(maxsize=16_384)(self._found)
        self.match = lru_cache(maxsize=16_384)(self._match)

    def _match(self, location: str, text: str, place: str) -> Fingerprint | None:
        """The fingerprint that names a short `text` (an address) a block page in `place`.

        None when none does, or when a known false positive matches too.
        """
        return _chosen(self._found(location, text), place)

    def page(self, headers: Mapping[str, str], body: str, place: str) -> Fingerprint | None:
        """The fingerprint that names an answer a block page in `place`, by its headers (small letters) or its body.

        None when none does, or when a known false positive matches anywhere in it.
        """
        found: list[Fingerprint] = []
        for name, value in headers.items():
            if value:
                found += self._seen(f"header.{name}", value)
        if body:
            found += self._seen("body", body)
        if PAGE in self._matchers:
            lines = [f"{name.title()}: {value}" for name, value in sorted(headers.items()) if value]
            found += self._found(PAGE, "\r\n".join([*lines, "", body]))
        return _chosen(tuple(found), place) if found else None

    def _seen(self, location: str, text: str) -> tuple[Fingerprint, ...]:
        return (self._found_short if len(text) < _SHORT else self._found)(location, text)

    def _found(self, location: str, text: str) -> tuple[Fingerprint, ...]:
        matcher = self._matchers.get(location)
        return tuple(matcher.match(text)) if matcher is not None and text else ()


def _chosen(found: tuple[Fingerprint, ...], place: str) -> Fingerprint | None:
    if any(item.is_false_positive for item in found):
        return None
    here = [item for item in found if not item.countries or place in item.countries]
    # Of several, the page of a network says more than that of a product.
    return min(here, key=lambda item: (not item.is_of_network, item), default=None)


def load_fingerprints(paths: tuple[Path, ...] = (SHIPPED,)) -> Fingerprints:
    """Read fingerprints from files. Raises `ReferenceDataError` naming the file and the line."""
    digests: list[str] = []
    rows: list[Fingerprint] = []
    for path in sorted(set(paths)):
        data = read(path)
        digests.append(f"{_kind(path)} {hashlib.sha256(data).hexdigest()}")
        rows += _checked(_READERS.get(path.suffix, _read_csv)(path, data))
    return Fingerprints(rows, hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest())


def _kind(path: Path) -> str:
    """What the name of a file says of what is in it."""
    return path.suffix + (" false positives" if _FALSE in path.name else "")


_Row = tuple[str, Fingerprint]


def _checked(rows: list[_Row]) -> list[Fingerprint]:
    """The fingerprints, once all of them are expressions that can be run. Raises `ReferenceDataError`."""
    for where, item in rows:
        if not item.pattern or len(item.pattern) > MAX_PATTERN:
            raise ReferenceDataError(f"{where}: the pattern must have 1 to {MAX_PATTERN} characters")
    fingerprints = [item for _, item in rows]
    if not fingerprints:
        return []
    try:
        _compiled(tuple(fingerprints))
    except hyperscan.HyperscanError:
        for where, item in rows:
            try:
                _compiled((item,))
            except hyperscan.HyperscanError as error:
                raise ReferenceDataError(f"{where}: not an expression that runs in linear time: {error}") from error
        raise
    return fingerprints


def _read_csv(path: Path, data: bytes) -> list[_Row]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode()))
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ReferenceDataError(f"{path}:1: the column {missing[0]!r} is missing; needed: {', '.join(_COLUMNS)}")
        return [(f"{path}:{reader.line_num}", _row(f"{path}:{reader.line_num}", row)) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReferenceDataError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _row(where: str, row: dict[str, str | None]) -> Fingerprint:
    kind, pattern, location = (row[name] or "" for name in ("pattern_type", "pattern", "location_found"))
    if kind not in _KINDS:
        raise ReferenceDataError(f"{where}: pattern_type is {kind!r}; allowed: {', '.join(_KINDS)}")
    countries = tuple(sorted(code for code in (row["expected_countries"] or "").replace(" ", "").split(",") if code))
    return Fingerprint(row["name"] or "", row["scope"] or "", location.lower(), kind, pattern, countries)


class _Signature(msgspec.Struct):
    fingerprint: str
    pattern: str


_SIGNATURE = msgspec.json.Decoder(_Signature)


def _read_signatures(path: Path, data: bytes) -> list[_Row]:
    """Censored Planet's signatures. A file with `false_positive` in its name lists what is no block page."""
    rows = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = _SIGNATURE.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ReferenceDataError(f"{path}:{number}: needs `fingerprint` and `pattern`: {error}") from error
        rows.append((f"{path}:{number}", _signature(found, is_false=_FALSE in path.name)))
    return rows


def _signature(found: _Signature, is_false: bool) -> Fingerprint:
    if is_false:
        return Fingerprint(found.fingerprint, "fp", PAGE, "regexp", found.pattern, ())
    match = _CENSORED_PLANET.match(found.fingerprint)
    scope = _LETTERS[match[1]] if match else "unk"
    country = (match[2] or "").upper() if match else ""
    if scope in _OF_NETWORK and _SCHOOL.search(found.fingerprint):
        scope = "inst"
    elif scope in _OF_NETWORK and not country:
        # Without a country it would hold everywhere; one such is a web server's own firewall.
        scope = "unk"
    countries = (_ISO.get(country, country),) if scope in _OF_NETWORK else ()
    return Fingerprint(found.fingerprint, scope, PAGE, "regexp", found.pattern, countries)


_READERS: dict[str, Callable[[Path, bytes], list[_Row]]] = {".json": _read_signatures, ".jsonl": _read_signatures}
