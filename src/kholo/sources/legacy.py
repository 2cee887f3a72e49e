"""Legacy reports of OONI (2012 to 2018): YAML, a header and then one document an entry.

Each entry becomes one measurement in the present form: what the header says of the probe, and everything that is not
of the envelope as its `test_keys`. Source: ooni/spec `data-formats/df-000-base.md`, versions before 0.3.

The parser's events are put together here rather than by the library: its loader recurses in C and would take the
process down with a document that is nested deeply, and copies what is repeated by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import yaml

from kholo.model import Reject

from .items import MAX_ITEM, Item, clean

MAX_DEPTH = 64
#: Values in one document, repeated ones counted each time.
MAX_VALUES = 500_000
_HEADER_KEYS = ("test_name", "software_name")
#: Keys of an entry that are of the envelope; all others are what the test measured.
_ENVELOPE = frozenset(
    {
        "annotations", "backend_version", "bucket_date", "data_format_version", "id", "input", "input_hashes",
        "measurement_start_time", "measurement_uid", "options", "probe_asn", "probe_cc", "probe_city", "probe_ip",
        "report_filename", "report_id", "resolver_asn", "resolver_ip", "software_name", "software_version",
        "start_time", "test_helpers", "test_name", "test_runtime", "test_start_time", "test_version",
    }
)  # fmt: skip
_YAML = "tag:yaml.org,2002:"
_PLAIN = frozenset(f"{_YAML}{kind}" for kind in ("int", "float", "bool", "null"))


class Lines(Protocol):
    """What reading a report needs of a stream."""

    def readline(self, size: int = -1, /) -> bytes: ...


class _Unusable(ValueError):
    """A document that can't be read. `reason` is the code of the reject."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def entries(name: str, stream: Lines) -> Iterator[Item | Reject]:
    """The entries of one report, each as a measurement in the present form, or a reject that names its document."""
    header: dict[str, Any] = {}
    for number, found in enumerate(_documents(stream), 1):
        if not isinstance(found, bytes):
            yield Reject(name, number, "too_large", f"{found.size} bytes; an item may have {MAX_ITEM}", found.digest)
            continue
        try:
            table = _load(found)
            if not header and any(key in table for key in _HEADER_KEYS) and "input" not in table:
                header = table
                continue
            yield Item(name, number, msgspec.json.encode(_measurement(header, table)), received=found)
        except _Unusable as error:
            yield Reject(name, number, error.reason, clean(error.detail), hashlib.sha256(found).hexdigest())


class _TooLong(msgspec.Struct):
    size: int
    digest: str


def _documents(stream: Lines) -> Iterator[bytes | _TooLong]:
    """The documents of a stream, without the marks between them, in bounded memory."""
    parts: list[bytes] = []
    size = 0
    digest = hashlib.sha256()
    while line := stream.readline(MAX_ITEM):
        if line.rstrip() in (b"---", b"..."):
            if size:
                yield _TooLong(size, digest.hexdigest()) if size > MAX_ITEM else b"".join(parts)
            parts, size, digest = [], 0, hashlib.sha256()
            continue
        size += len(line)
        digest.update(line)
        if size > MAX_ITEM:
            parts = []
        else:
            parts.append(line)
    if size:
        yield _TooLong(size, digest.hexdigest()) if size > MAX_ITEM else b"".join(parts)


def _load(document: bytes) -> dict[str, Any]:
    try:
        table = _Builder().build(document)
    except yaml.YAMLError as error:
        raise _Unusable("not_yaml", " ".join(str(error).split())) from error
    except (ValueError, OverflowError, UnicodeError) as error:
        if isinstance(error, _Unusable):
            raise
        raise _Unusable("not_yaml", str(error)) from error
    if not isinstance(table, dict):
        raise _Unusable("not_yaml", "the document is not a table of keys and values")
    return table


class _Builder:
    """Puts values together from the parser's events, without recursion."""

    def __init__(self) -> None:
        self._resolver = yaml.SafeLoader("")
        self._open: list[Any] = []
        self._keys: list[str | None] = []
        self._names: list[str | None] = []
        self._named: dict[str, tuple[Any, int]] = {}
        self._before: list[int] = []
        self._count = 0
        self._whole: Any = None

    def build(self, document: bytes) -> Any:
        for event in yaml.parse(document, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._put(self._scalar(event), event.anchor, 1)
            elif isinstance(event, yaml.AliasEvent):
                self._again(event.anchor)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        return self._whole

    def _begin(self, value: Any, name: str | None) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Unusable("too_deep", "nested deeper than any measurement is")
        self._open.append(value)
        self._keys.append(None)
        self._names.append(name)
        self._before.append(self._count)

    def _end(self) -> None:
        value, name = self._open.pop(), self._names.pop()
        self._keys.pop()
        # What is in it was counted as it came.
        size = self._count - self._before.pop()
        self._put(value, None, 1)
        if name is not None:
            self._named[name] = (value, size + 1)

    def _again(self, name: str | None) -> None:
        if name is None or name not in self._named:
            raise _Unusable("not_yaml", f"&{name} is used before it is complete")
        value, size = self._named[name]
        self._put(value, None, size)

    def _put(self, value: Any, name: str | None, size: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise _Unusable("too_large", f"more than {MAX_VALUES} values in one document")
        if name is not None:
            self._named[name] = (value, size)
        if not self._open:
            self._whole = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._keys[-1] is None:
            self._keys[-1] = value if isinstance(value, str) else str(value)
        else:
            self._open[-1][self._keys[-1]] = value
            self._keys[-1] = None

    def _scalar(self, event: Any) -> Any:
        tag = event.tag or self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if tag == f"{_YAML}binary":
            return {"data": "".join(event.value.split()), "format": "base64"}
        if tag in _PLAIN:
            return self._resolver.construct_object(yaml.ScalarNode(tag, event.value))
        return event.value


def _measurement(header: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    if not header:
        raise _Unusable("no_header", "the report does not begin with a header that says where and when it was made")
    row = {key: value for key, value in (header | entry).items() if key in _ENVELOPE}
    start = next((entry[key] for key in ("measurement_start_time", "test_start_time") if entry.get(key)), None)
    row["measurement_start_time"] = _moment(start or header.get("start_time") or header.get("test_start_time"))
    row["test_keys"] = entry.get("test_keys") or {key: value for key, value in entry.items() if key not in _ENVELOPE}
    return row


def _moment(value: Any) -> str | None:
    """Seconds since 1970 (UTC) or text, as text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**33:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}"
    return value if isinstance(value, str) else None
