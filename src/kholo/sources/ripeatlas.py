"""RIPE Atlas: results of probes that people and institutions host, of the types dns, sslcert and http.

The format is that of "Measurement result format" in the documentation of atlas.ripe.net, firmware 4400 to 5080, as a
JSON array, JSON Lines (`format=txt`) or single objects. What a result does not say, nobody here knows:

- a lookup without an answer may not say the name it asked for (`qbuf` is an option of the measurement);
- the name in a ClientHello may be another than `dst_name` where whoever made the measurement set one (`hostname`).

A probe has a public page with its address, so nothing that leads to it is kept: no address, no id, no name with the id
in it (`prepend_probe_id`), and no address of its resolver. The digests of report and uid tell probes apart. They are no
secret: who has the archive can work them out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from kholo.model import Grade, Layer, Measurement, Observation, Vantage

from . import envelope, lines, registry, wire
from .envelope import Refused
from .items import Item
from .ripeatlas_fetch import FETCH
from .ripeatlas_own import SCRUBBED, Own, parse
from .source import Context, File, Found, Given, Observed, Source

#: Lookups, requests or certificates of one result above which it is rejected.
MAX_STEPS = 64
#: Marks of a resolver, of which no address is kept: that of the probe's own line, or one that the measurement chose.
OWN, CHOSEN = "own", "chosen"

_OTHER = frozenset({"ping", "traceroute", "ntp", "wifi"})
_ENGINES = {"UDP": "udp", "TCP": "udp", "TLS": "dot", "HTTPS": "doh"}
#: Parts of the probes' messages, and OONI's words for them (df-007). Texts are never kept: they may hold anything.
_SAID = (
    ("timeout", "generic_timeout_error"),
    ("timed out", "generic_timeout_error"),
    ("refused", "connection_refused"),
    ("reset by peer", "connection_reset"),
    ("no route to host", "host_unreachable"),
    ("network is unreachable", "network_unreachable"),
    ("bad type", "ssl_failed_handshake"),
    ("bad len", "ssl_failed_handshake"),
    ("server hello", "ssl_failed_handshake"),
    ("amount of cert", "ssl_failed_handshake"),
)
_PROBE = Vantage.PROBE
_NOWHERE = ("AS0", "")

T = TypeVar("T")
Text = str | None
Number = int | float | None


class _Reply(msgspec.Struct):
    abuf: Text = None
    qbuf: Text = None
    rt: Number = None


class _Lookup(msgspec.Struct):
    """One question to one resolver: the result itself, or one of its `resultset`."""

    result: _Reply | None = None
    error: Raw = Raw(b"null")
    qbuf: Text = None
    dst_addr: Text = None
    addr: Text = None
    src_addr: Text = None
    proto: Text = None


class _Request(msgspec.Struct):
    dst_addr: Text = None
    addr: Text = None
    src_addr: Text = None
    srcaddr: Text = None
    res: int | None = None
    hsize: int | None = None
    bsize: int | None = None
    rt: Number = None
    err: Text = None
    dnserr: Text = None


class _Alert(msgspec.Struct):
    description: int | None = None
    decription: int | None = None


class _Result(msgspec.Struct):
    msm_id: int
    prb_id: int
    timestamp: int | float
    type: str = ""
    stored_timestamp: Number = None
    fw: int | str | None = None
    mver: Text = None
    bundle: int | None = None
    seen_from: Text = msgspec.field(name="from", default=None)
    src_addr: Text = None
    srcaddr: Text = None
    dst_addr: Text = None
    addr: Text = None
    dst_name: Text = None
    dst_port: int | str | None = None
    uri: Text = None
    result: Raw = Raw(b"null")
    resultset: list[_Lookup] | None = None
    cert: list[str] | None = None
    alert: _Alert | None = None
    err: Text = None
    dnserr: Text = None
    sockerr: Text = None
    error: Raw = Raw(b"null")
    rt: Number = None
    ttc: Number = None
    simulated: bool = False


_RESULT = msgspec.json.Decoder(_Result)
_ONE = msgspec.json.Decoder(_Lookup)
_REQUESTS = msgspec.json.Decoder(list[_Request])
_MANY = msgspec.json.Decoder(list[Raw])
_ERROR = msgspec.json.Decoder(dict[str, Any] | str | None)


class _Seen(msgspec.Struct):
    """What a result holds: what was tested, what happened, and the network and country of the resolver, if one."""

    input: str
    rows: list[Observation]
    resolver: tuple[str, str] = _NOWHERE


def recognises(data: bytes) -> bool:
    """Whether the bytes are of a result, or of an array of them."""
    return b'"msm_id"' in data and b'"prb_id"' in data


def decode(item: Item, context: Context) -> Iterator[Given]:
    """One result as a measurement, or each of an array. Raises `Refused`, and what msgspec raises."""
    if item.data[:1] == b"[":
        for number, part in enumerate(_MANY.decode(item.data), 1):
            yield from registry.decode(Item(item.file, number, bytes(part)), context)
        return
    row = _RESULT.decode(item.data)
    moment = _time(row.timestamp, context.now)
    own = Own(row.prb_id, _own_addresses(row, item.data))
    if row.type == "dns":
        seen = _dns(row, item.data, own, lambda address: context.line_of(address, moment.date()))
    elif row.type == "sslcert":
        seen = _sslcert(row, own)
    elif row.type == "http":
        seen = _http(row, own)
    else:
        known = row.type if row.type in _OTHER else envelope.show(row.type)
        raise Refused("other_test", f"a result of type {known}; dns, sslcert and http are read")
    yield _measurement(item, row, moment, seen, context), Observed(seen.rows)


def _time(seconds: float, now: datetime) -> datetime:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused("bad_time", f"the timestamp is {envelope.show(seconds)}; seconds since 1970") from None
    return envelope.plausible(moment, now)


def _own_addresses(row: _Result, data: bytes) -> list[Text]:
    """Every address that a result has of its own probe."""
    parts: list[Any] = list(_few(row.resultset or []))
    if row.type == "http":
        parts += _few(_requests(row))
    elif row.type == "dns":
        parts.append(_ONE.decode(data))
    local = [getattr(part, name, None) for part in parts for name in ("src_addr", "srcaddr")]
    return [row.seen_from, row.src_addr, row.srcaddr, *local]


def _measurement(item: Item, row: _Result, moment: datetime, seen: _Seen, context: Context) -> Measurement:
    day = moment.date()
    outside = (found for text in (row.seen_from, row.src_addr, row.srcaddr) if (found := parse(text or "")))
    network, place = next((line for found in outside if (line := context.line_of(str(found), day))[1]), _NOWHERE)
    if not place:
        raise Refused("no_place", "no table of networks says in which country the line is; see kholo reference update")
    key = (row.type, row.msm_id, row.prb_id, row.timestamp, row.bundle, row.dst_addr or row.addr, row.dst_name)
    stored = row.stored_timestamp
    return Measurement(
        measurement_uid="ripeatlas-" + hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:32],
        digest=item.digest,
        kind=Grade.A,
        source="ripeatlas",
        test_name=row.type,
        test_version=str(row.mver or row.fw or "")[:64],
        input=seen.input[: envelope.MAX_INPUT] or None,
        hostname=envelope.hostname(seen.input),
        measured_at=moment,
        place=envelope.place(place),
        network=envelope.network(network),
        resolver_network=envelope.network(seen.resolver[0]),
        resolver_place=seen.resolver[1][:2],
        report=envelope.report(f"ripeatlas {row.prb_id} {day}"),
        simulated=row.simulated,
        file=item.file,
        line=item.line,
        is_clock_ahead=stored is not None and row.timestamp > stored + envelope.CLOCK_SLACK.total_seconds(),
        vantage=Vantage.HOSTED,
    )


def _few(steps: list[T]) -> list[T]:
    if len(steps) > MAX_STEPS:
        raise Refused("too_large", f"{len(steps)} steps in one result; {MAX_STEPS} are read")
    return steps


def _seconds(milliseconds: Number) -> float | None:
    return None if milliseconds is None else max(0.0, min(float(milliseconds) / 1_000, 86_400.0))


def _failure(said: str) -> str:
    low = said.lower()
    return next((failure for text, failure in _SAID if text in low), "unknown_failure")


def _dns(row: _Result, data: bytes, own: Own, line_of: Callable[[str], tuple[str, str]]) -> _Seen:
    made = row.resultset if row.resultset is not None else [_ONE.decode(data)]
    looked = [_lookup(lookup) for lookup in made]
    asked = next((found for found in looked if found.name), wire.Lookup("", ""))
    name = own.hide(asked.name)
    given = [lookup.dst_addr or lookup.addr or "" for lookup in made]
    # A line's own resolvers are as good as its address, and there are names whose answer they are.
    hidden = Own(row.prb_id, given) if row.resultset is not None else own
    rows: list[Observation] = []
    resolvers: set[tuple[str, str]] = set()
    for lookup, found, address in zip(made, looked, given, strict=True):
        is_near = own.is_near(address)
        mark = OWN if row.resultset is not None or is_near else CHOSEN if row.dst_name else ""
        resolvers.add(_NOWHERE if is_near or not parse(address) else line_of(address))
        rows.append(
            Observation(
                Layer.DNS,
                _PROBE,
                name,
                failure=found.failure,
                t=_seconds(lookup.result.rt) if lookup.result else None,
                engine="system" if mark == OWN else _ENGINES.get((lookup.proto or "").upper(), "udp"),
                resolver=mark,
                query_type=found.query_type or asked.query_type,
                answers=tuple(own.address(hidden.address(answer)) or SCRUBBED for answer in found.answers),
            )
        )
    return _Seen(name, rows, resolvers.pop() if len(resolvers) == 1 else _NOWHERE)


def _lookup(made: _Lookup) -> wire.Lookup:
    """What was asked and what came. Raises `Refused` for messages that are no DNS."""
    question = made.qbuf or (made.result.qbuf if made.result else None)
    asked = wire.dns(question, is_answer=False) if question else wire.Lookup("", "")
    if made.result is not None and made.result.abuf:
        found = wire.dns(made.result.abuf, is_answer=True)
        return found if not asked.name else wire.Lookup(asked.name, asked.query_type, found.failure, found.answers)
    error = _ERROR.decode(made.error)
    said = " ".join(f"{key} {text}" for key, text in error.items()) if isinstance(error, dict) else error or ""
    return wire.Lookup(asked.name, asked.query_type, _failure(said))


def _sslcert(row: _Result, own: Own) -> _Seen:
    name = own.hide((row.dst_name or "").lower().rstrip("."))
    host = "" if parse(name) else envelope.hostname(name)
    ip, port = own.address(row.dst_addr or row.addr or ""), _port(row.dst_port)
    seen = _Seen(name if port in (0, 443) else f"{name}:{port}", [])
    refused = (row.err or "").startswith("connect")
    if row.dnserr:
        seen.rows.append(_unresolved(host, row.dnserr))
    elif refused or row.sockerr or bytes(row.error) != b"null":
        said = row.err if refused and row.err else row.sockerr or ""
        seen.rows.append(Observation(Layer.TCP, _PROBE, "", ip, port, _failure(said), t=_seconds(row.ttc)))
    else:
        seen.rows.append(Observation(Layer.TCP, _PROBE, "", ip, port, t=_seconds(row.ttc)))
        seen.rows.append(_handshake(row, host, ip, port))
    return seen


def _handshake(row: _Result, host: str, ip: str, port: int) -> Observation:
    """The probe reads the certificate and goes: it does not check it, nor end the handshake."""
    failed, said = None, ""
    if row.alert is not None:
        number = row.alert.description if row.alert.description is not None else row.alert.decription
        failed, said = "ssl_failed_handshake", f"alert {number}"
    elif row.err or not row.cert:
        failed = _failure(row.err or "")
    else:
        said = wire.certificate(_few(row.cert)[0], host)
    return Observation(Layer.TLS, _PROBE, host, ip, port, failed, t=_seconds(row.rt), server=said)


def _http(row: _Result, own: Own) -> _Seen:
    url = own.hide(row.uri or "")[: envelope.MAX_INPUT]
    host, port = envelope.hostname(url), _port_of(url)
    seen = _Seen(url, [])
    for made in _requests(row):
        ip = own.address(made.dst_addr or made.addr or "")
        if made.dnserr:
            seen.rows.append(_unresolved(host, made.dnserr))
        elif made.err and made.err.startswith("connect"):
            seen.rows.append(Observation(Layer.TCP, _PROBE, "", ip, port, _failure(made.err)))
        else:
            seen.rows += [Observation(Layer.TCP, _PROBE, "", ip, port), _exchange(made, host, ip, port, url)]
    return seen


def _requests(row: _Result) -> list[_Request]:
    # Firmware 1 wrote text here, which is a wrong type today.
    return _REQUESTS.decode(row.result)


def _exchange(made: _Request, host: str, ip: str, port: int, url: str) -> Observation:
    status = made.res or 0
    failed = _failure(made.err) if made.err else None if status else "unknown_failure"
    head, body = max(0, made.hsize or 0), max(0, made.bsize or 0)
    return Observation(
        Layer.HTTP, _PROBE, host, ip, port, failed, t=_seconds(made.rt), url=url, length=min(body, 2**31 - 1),
        status=status if 0 <= status < 1_000 else 0, bytes_read=min(head + body, 2**31 - 1),
    )  # fmt: skip


def _unresolved(host: str, said: str) -> Observation:
    """A lookup before a test. The probe's library says that it failed, and little of why."""
    failed = "dns_temporary_failure" if "temporary" in said.lower() else _failure(said)
    return Observation(Layer.DNS, _PROBE, host, failure=failed, engine="system", resolver=OWN)


def _port(value: int | str | None) -> int:
    text = "443" if value in ("https", None) else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65_536 else 0


def _port_of(url: str) -> int:
    try:
        return urlsplit(url).port or (443 if url.startswith("https:") else 80)
    except ValueError:
        return 0


def _text(file: File) -> Iterator[Found]:
    """A download with `format=txt`: JSON Lines."""
    yield from lines.split(file.name, cast(lines.Bytes, file.stream))


SOURCE = Source(
    id="ripeatlas",
    name="RIPE Atlas",
    what="Lookups, certificates and pages as hosted probes get them (dns, sslcert, http). Needs the extra ripeatlas.",
    address="https://atlas.ripe.net/",
    terms="Public results, under the RIPE Atlas Service Terms and Conditions",
    recognises=recognises,
    decode=decode,
    files=(("RIPE-Atlas-*.txt", _text),),
    fetch=FETCH,
)
