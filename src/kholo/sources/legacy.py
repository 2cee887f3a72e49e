"""Legacy reports of OONI (2012 to 2018): YAML, a header and then one document an entry.

Each entry becomes one measurement in the present form: what the header says of the probe, and everything that is not
of the envelope as its `test_keys`. Source: ooni/spec `data-formats/df-000-base.md`, versions before 0.3, and for times
and names ooni/probe-legacy `ooni/otime.py` and `ooni/reporter.py`.

The parser's events are put together here rather than by the library: its loader recurses in C and would take the
process down with a document that is nested deeply, and copies what is repeated by name. Numbers are read here too: its
own reading raises on some tags, and takes hours for a number of a million digits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol, TypeGuard

import msgspec
import yaml

from kholo.model import Reject
from kholo.model.text import clean

from .items import MAX_ITEM, Item

MAX_DEPTH = 64
#: Values in one document, repeated ones counted each time.
MAX_VALUES = 500_000
#: A text counts as one value more for each so many characters: a long one that is repeated fills the memory too.
TEXT = 64
#: Characters of a number; more is text.
MAX_NUMBER = 40
_HEADER_KEYS = ("software_name", "probe_cc", "probe_asn")
_HEADER_LINE = re.compile(rb"(?m)^\{?(?:software_name|probe_cc|probe_asn)[ \t]*:")
_MARK = re.compile(rb"(---|\.\.\.)(?=[ \t\r\n]|\Z)[ \t]*(?:#.*)?")
_BOM = b"\xef\xbb\xbf"
#: Keys of an entry that are of the envelope; all others are what the test measured.
_ENVELOPE = frozenset(
    {
        "annotations", "backend_version", "bucket_date", "data_format_version", "id", "input", "input_hashes",
        "measurement_start_time", "measurement_uid", "options", "probe_asn", "probe_cc", "probe_city", "probe_ip",
        "report_filename", "report_id", "resolver_asn", "resolver_ip", "software_name", "software_version",
        "start_time", "test_helpers", "test_name", "test_runtime", "test_start_time", "test_started", "test_version",
    }
)  # fmt: skip
_YAML = "tag:yaml.org,2002:"
_RESOLVER = yaml.resolver.Resolver()
_BOOLS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
#: What tests were called, where lower case and underscores do not give the name of today.
_RENAMED = {
    "http_requests_test": "http_requests",
    "dns_tamper": "dns_consistency",
    "dnstamper": "dns_consistency",
    "multi_protocol_traceroute_test": "multi_protocol_traceroute",
}
#: Seconds. A header's two times lie this close, apart from the zone of the probe's clock: quarters, up to 14 hours.
_SLACK = 120
_QUARTER = 15 * 60
_ZONES = 14 * 60 * 60


class Lines(Protocol):
    """What reading a report needs of a stream."""

    def readline(self, size: int = -1, /) -> bytes: ...


class _Unusable(ValueError):
    """A document that can't be read. `reason` is the code of the reject."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def entries(name: str, stream: Lines) -> Iterator[Item | Reject]:
    """The entries of one report, each as a measurement in the present form, or a reject that names its document.

    Reports put one after the other in a file are told apart by their headers.
    """
    header: dict[str, Any] = {}
    for number, found in enumerate(_documents(stream), 1):
        if not isinstance(found, bytes):
            yield Reject(name, number, "too_large", f"{found.size} bytes; an item may have {MAX_ITEM}", found.digest)
            continue
        try:
            table = _load(found)
            if _is_header(table):
                header = table
                continue
            yield Item(name, number, msgspec.json.encode(_measurement(header, table)), received=found)
        except _Unusable as error:
            if _HEADER_LINE.search(found):
                # What follows may be of another probe than what came before: better nobody's than the wrong one's.
                header = {}
            yield Reject(name, number, error.reason, clean(error.detail), hashlib.sha256(found).hexdigest())


def _is_header(table: dict[str, Any]) -> bool:
    return "input" not in table and "test_keys" not in table and any(key in table for key in _HEADER_KEYS)


class _TooLong(msgspec.Struct):
    size: int
    digest: str


class _Document:
    """The bytes of one document as they come, in bounded memory."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._past = 0
        self._digest = hashlib.sha256()
        self._is_empty = True

    def add(self, line: bytes) -> None:
        """Take a line. Comments (old reports begin with some) and directives alone are no document."""
        if self._is_empty:
            self._is_empty = line.lstrip()[:1] in (b"", b"#") or line[:1] == b"%"
        self._kept += line
        if len(self._kept) > MAX_ITEM or self._past:
            self._past += len(self._kept)
            self._digest.update(self._kept)
            self._kept.clear()

    def whole(self) -> list[bytes | _TooLong]:
        """The document, where there was one."""
        if self._is_empty:
            return []
        return [_TooLong(self._past, self._digest.hexdigest()) if self._past else bytes(self._kept)]


def _documents(stream: Lines) -> Iterator[bytes | _TooLong]:
    """The documents of a stream, without the marks that stand alone between them."""
    document = _Document()
    begins, first = True, True
    while line := stream.readline(MAX_ITEM):
        if first:
            line, first = line.removeprefix(_BOM), False
        mark = _MARK.match(line) if begins and line.startswith((b"---", b"...")) else None
        begins = line.endswith(b"\n")
        if mark:
            yield from document.whole()
            document = _Document()
            if not line[mark.end() :].strip():
                continue
        document.add(line)
    yield from document.whole()


def _load(document: bytes) -> dict[str, Any]:
    try:
        table = _Builder().build(document)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        # PyYAML sets a bound of its own since 6.0.4, and tells it by its text only.
        raise _Unusable("too_deep" if "nesting depth" in message else "not_yaml", message) from error
    except UnicodeError as error:
        raise _Unusable("not_yaml", str(error)) from error
    if not isinstance(table, dict):
        raise _Unusable("not_yaml", "the document is not a table of keys and values")
    return table


class _Named(msgspec.Struct, frozen=True):
    """A value that may be repeated by its name: what it counts for, and how deep it goes."""

    value: Any
    size: int
    depth: int


class _Open(msgspec.Struct):
    """A list or table that is not complete yet. `before` is the count of values when it began."""

    value: Any
    name: str | None
    before: int
    key: str | None = None
    depth: int = 1


class _Builder:
    """Puts values together from the parser's events, without recursion."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._named: dict[str, _Named] = {}
        self._count = 0
        self._documents = 0
        self._whole: Any = None

    def build(self, document: bytes) -> Any:
        for event in yaml.parse(document, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._put(_Named(_scalar(event), 1 + len(event.value) // TEXT, 0), event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                self._again(event.anchor)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise _Unusable("not_yaml", "two documents without a mark between them")
        return self._whole

    def _begin(self, value: Any, name: str | None) -> None:
        self._check_depth(1)
        self._open.append(_Open(value, name, self._count))

    def _check_depth(self, more: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            raise _Unusable("too_deep", "nested deeper than any measurement is")

    def _end(self) -> None:
        done = self._open.pop()
        # What is in it was counted as it came.
        size = self._count - done.before + 1
        self._count = done.before
        self._put(_Named(done.value, size, done.depth), done.name)

    def _again(self, name: str | None) -> None:
        if name is None or name not in self._named:
            raise _Unusable("not_yaml", f"&{name} is used before it is complete")
        named = self._named[name]
        self._check_depth(named.depth)
        self._put(named, None)

    def _put(self, new: _Named, name: str | None) -> None:
        self._count += new.size
        if self._count > MAX_VALUES:
            raise _Unusable("too_large", f"more than {MAX_VALUES} values in one document")
        if name is not None:
            self._named[name] = new
        if not self._open:
            self._whole = new.value
            return
        into = self._open[-1]
        into.depth = max(into.depth, new.depth + 1)
        if isinstance(into.value, list):
            into.value.append(new.value)
        elif into.key is None:
            into.key = new.value if isinstance(new.value, str) else str(new.value)
        else:
            into.value[into.key] = new.value
            into.key = None


def _scalar(event: Any) -> Any:
    """A value by its tag; text where the tag says something that the value is not."""
    text: str = event.value
    if not event.tag and len(text) > MAX_NUMBER:
        # What has no tag is told by its looks, with expressions that take memory by the length of what they look at.
        return text
    tag = event.tag or _RESOLVER.resolve(yaml.ScalarNode, text, event.implicit)  # type: ignore[no-untyped-call]
    if tag == f"{_YAML}binary":
        return {"data": "".join(text.split()), "format": "base64"}
    if tag == f"{_YAML}null":
        return None
    if tag == f"{_YAML}bool":
        return _BOOLS.get(text.lower(), text)
    if tag in (f"{_YAML}int", f"{_YAML}float"):
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    if len(text) > MAX_NUMBER:
        return text
    for read in (lambda: int(text, 0), lambda: float(text)):
        try:
            return read()
        except ValueError:
            continue
    return text


def _measurement(header: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    if not header:
        raise _Unusable("no_header", "the report does not begin with a header that says where and when it was made")
    if isinstance(inner := entry.get("report"), dict):
        # Until 2013 what was measured stood in a table of its own.
        entry = {**inner, **{key: value for key, value in entry.items() if key != "report"}}
    row = {key: value for key, value in (header | entry).items() if key in _ENVELOPE}
    # An entry's own test_name is the function that ran.
    row["test_name"] = _test_name(header.get("test_name") or entry.get("test_name"))
    row |= {key: _text(row.get(key)) for key in ("input", "report_id", "test_version", "software_name")}
    if isinstance(options := row.get("options"), dict):
        row["options"] = options.get("subargs")
    row["measurement_start_time"] = _start(header, entry)
    row["test_keys"] = entry.get("test_keys") or {key: value for key, value in entry.items() if key not in _ENVELOPE}
    return row


def _test_name(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    name = re.sub(r"[ -]", "_", value.lower())
    return _RENAMED.get(name, name)


def _text(value: Any) -> Any:
    """Versions and ids that look like a number are text all the same."""
    return str(value) if isinstance(value, int | float) else value


def _start(header: dict[str, Any], entry: dict[str, Any]) -> str | None:
    keys = ("measurement_start_time", "test_start_time", "test_started")
    start = next((entry[key] for key in keys if entry.get(key)), None)
    return _moment(start or header.get("start_time") or header.get("test_start_time"), _ahead(header))


def _ahead(header: dict[str, Any]) -> int:
    """Seconds by which times that the probe gives as numbers are behind UTC.

    Probes read the time in UTC as if it were local, so their seconds since 1970 are off by the zone of their clock.
    Headers that say the start both as a number and as text (in UTC) show by how much; of others it can't be known.
    """
    seconds, text = header.get("start_time"), header.get("test_start_time")
    if not _is_seconds(seconds) or not isinstance(text, str):
        return 0
    try:
        between = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - seconds
    except (ValueError, OverflowError):
        return 0
    zone = round(between / _QUARTER) * _QUARTER
    return zone if abs(zone) <= _ZONES and abs(between - zone) <= _SLACK else 0


def _is_seconds(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**33


def _moment(value: Any, ahead: int) -> str | None:
    """Seconds since 1970 by the probe's clock, or text, as text in UTC."""
    if _is_seconds(value):
        return f"{datetime.fromtimestamp(value + ahead, UTC):%Y-%m-%d %H:%M:%S}"
    return value if isinstance(value, str) else None
