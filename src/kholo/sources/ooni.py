"""OONI: raw measurements, per-measurement analysis rows, and the API's measurement listing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from kholo.model import Grade, Measurement

from . import envelope, keys, registry, scrub, table
from .envelope import Refused
from .items import Item
from .keys import TestKeys
from .ooni_fetch import FETCH
from .source import Context, CsvTable, Decoded, Given, Source
from .table import Rows

_UNSET = Raw(b"null")


class Scores(msgspec.Struct, gc=False):
    """OONI's own layer scores of one measurement, each 0..1, with the failure seen at the layer."""

    dns_blocked: float
    dns_down: float
    dns_ok: float
    tcp_blocked: float
    tcp_down: float
    tcp_ok: float
    tls_blocked: float
    tls_down: float
    tls_ok: float
    top_dns_failure: str | None = None
    top_tcp_failure: str | None = None
    top_tls_failure: str | None = None


class Listed(msgspec.Struct, gc=False):
    """What the API's listing says of one measurement."""

    anomaly: bool | None = None
    confirmed: bool | None = None
    failure: bool | None = None


Payload = TestKeys | Scores | Listed | Rows | None

#: The source of measurements put together from rows of OONI's observation tables.
OBSERVATION_ROWS = "ooni/rows"


class _Raw(msgspec.Struct, gc=False):
    test_name: str | None = None
    measurement_start_time: str | None = None
    probe_cc: str | None = None
    probe_asn: str | int | None = None
    probe_ip: str | None = None
    resolver_asn: str | int | None = None
    measurement_uid: str | None = None
    report_id: str | None = None
    input: str | list[Any] | None = None
    test_version: str | None = None
    options: Raw = _UNSET
    software_name: str | None = None
    annotations: dict[str, Any] | None = None
    test_keys: Raw = Raw(b"")


class _Row(Scores, gc=False):
    measurement_uid: str | None = None
    measurement_start_time: str | None = None
    probe_cc: str | None = None
    probe_asn: int | str | None = None
    resolver_asn: int | str | None = None
    resolver_as_cc: str | None = None
    input: str | None = None
    test_name: str | None = None
    report_id: str | None = None
    simulated: bool = False


class _ListedRow(Listed, gc=False):
    measurement_uid: str | None = None
    measurement_start_time: str | None = None
    probe_cc: str | None = None
    probe_asn: str | int | None = None
    input: str | None = None
    test_name: str | None = None
    report_id: str | None = None
    simulated: bool = False


class _Probe(msgspec.Struct, gc=False):
    """Just enough of a row to tell which kind it is."""

    content: Raw = Raw(b"")
    results: Raw = Raw(b"")
    dns_blocked: float | None = None
    anomaly: bool | None = None
    observation_rows: Raw = Raw(b"")


_RAW = msgspec.json.Decoder(_Raw)
_ROW = msgspec.json.Decoder(_Row)
_LISTED = msgspec.json.Decoder(_ListedRow)
_PROBE = msgspec.json.Decoder(_Probe)
_ROWS = msgspec.json.Decoder(Rows)
_MANY = msgspec.json.Decoder(list[Raw])


def recognises(data: bytes) -> bool:
    """Whether the bytes are of a measurement, or of a result that OONI gives of one."""
    return b'"test_keys"' in data or b'"measurement_start_time"' in data


def decode(item: Item, context: Context) -> Iterator[Given]:
    """One item as the measurements it holds: one, save for an answer of the API.

    Raises `Refused`, and what msgspec raises.
    """
    now = context.now
    row = _RAW.decode(item.data)
    if row.test_keys:
        yield _raw(item, row, now)
        return
    kind = _PROBE.decode(item.data)
    if kind.content:
        yield from decode(Item(item.file, item.line, bytes(kind.content), uid=item.uid), context)
    elif kind.results:
        for number, part in enumerate(_MANY.decode(kind.results), 1):
            yield from registry.decode(Item(f"{item.file}#results", number, bytes(part)), context)
    elif kind.dns_blocked is not None:
        yield _analysis(item, _ROW.decode(item.data), now)
    elif kind.anomaly is not None:
        yield _listing(item, _LISTED.decode(item.data), now)
    elif kind.observation_rows:
        yield _observation_rows(item, _ROWS.decode(item.data), now)
    else:
        raise Refused("unknown_row", "neither a measurement (test_keys) nor a result of an archive")


def _raw(item: Item, row: _Raw, now: datetime) -> Decoded:
    marks = row.annotations
    simulated = row.software_name == "kholo-simulate" or (marks is not None and marks.get("simulated") in _TRUE)
    measurement = _measurement(item, row, now, Grade.A, "ooni/raw", simulated)
    if row.test_version:
        measurement.test_version = row.test_version[:64]
    if row.options is not _UNSET:
        measurement.is_custom = bytes(row.options) not in _NO_OPTIONS
    measurement.is_clock_ahead = envelope.is_clock_ahead(measurement.measurement_uid, measurement.measured_at)
    test_keys = row.test_keys if scrub.is_hidden(row.probe_ip) else _without(row.test_keys, str(row.probe_ip))
    return measurement, keys.decode(measurement.test_name, test_keys)


_TRUE = ("true", True)
_NO_OPTIONS = (b"null", b"[]", b"{}", b'""')


def _without(test_keys: Raw, probe_ip: str) -> Raw:
    """Old reports hold the volunteer's own address: it goes before anything is read."""
    return Raw(scrub.without(bytes(test_keys), probe_ip))


def _analysis(item: Item, row: _Row, now: datetime) -> Decoded:
    measurement = _measurement(item, row, now, Grade.B, "ooni/analysis", row.simulated)
    measurement.resolver_place = (row.resolver_as_cc or "")[:2]
    return measurement, row


def _observation_rows(item: Item, rows: Rows, now: datetime) -> Decoded:
    first = rows.observation_rows[0]
    if any((row.probe_cc, row.probe_asn, row.test_name, row.measurement_start_time) !=
           (first.probe_cc, first.probe_asn, first.test_name, first.measurement_start_time)
           for row in rows.observation_rows):  # fmt: skip
        raise Refused("rows_disagree", "its rows say different times, networks or tests")
    head = _Row(
        0, 0, 0, 0, 0, 0, 0, 0, 0, measurement_uid=first.measurement_uid, probe_cc=first.probe_cc,
        measurement_start_time=first.measurement_start_time[:19], probe_asn=_number(first.probe_asn),
        resolver_asn=_number(first.resolver_asn), input=first.input or None, test_name=first.test_name,
        report_id=first.report_id or None,
    )  # fmt: skip
    measurement = _measurement(item, head, now, Grade.B, OBSERVATION_ROWS, simulated=False)
    measurement.test_version = first.test_version[:64]
    return measurement, rows


def _number(text: str) -> str | None:
    """`15808` and `15808.0` are how tables write AS15808."""
    digits = text.removesuffix(".0")
    return f"AS{digits}" if digits.isascii() and digits.isdigit() else text or None


def _listing(item: Item, row: _ListedRow, now: datetime) -> Decoded:
    return _measurement(item, row, now, Grade.B, "ooni/listing", row.simulated), row


def _measurement(
    item: Item, row: _Raw | _Row | _ListedRow, now: datetime, kind: Grade, source: str, simulated: bool
) -> Measurement:
    digest = item.digest
    named = row.input if isinstance(row.input, str) else None
    resolver = None if isinstance(row, _ListedRow) else row.resolver_asn
    return Measurement(
        envelope.uid(row.measurement_uid or item.uid, digest),
        digest,
        kind,
        source,
        envelope.test_name(row.test_name),
        "",
        named[: envelope.MAX_INPUT] if named is not None else None,
        envelope.hostname(named),
        envelope.time(row.measurement_start_time, now),
        envelope.place(row.probe_cc),
        envelope.network(row.probe_asn),
        envelope.network(resolver),
        "",
        envelope.report(row.report_id),
        simulated,
        item.file,
        item.line,
    )


SOURCE = Source(
    id="ooni",
    name="OONI",
    what="Measurements that people run on their own lines, raw, and the archive's own results of them.",
    address="https://ooni.org/data/",
    terms="CC BY-NC-SA 4.0 (OONI data policy)",
    recognises=recognises,
    decode=decode,
    tables=(CsvTable(table.NEEDED, table.items),),
    fetch=FETCH,
)
