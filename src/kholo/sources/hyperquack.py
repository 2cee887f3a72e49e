"""Hyperquack: a name is sent to a server that has nothing to do with it, and the answer compared with its usual one.

Formats: docs.censoredplanet.org, hyperquackv1 (2018 to April 2021) and hyperquackv2. Only what differs from the usual
answer is in the rows. Errors are the texts of Go's standard library.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from kholo.model import Grade, Layer, Measurement, Observation, Vantage

from . import envelope, vantagepoint
from .envelope import Refused
from .items import Item
from .source import Context, Observed
from .vantagepoint import Location, Page, Server

HTTP, TLS, TCP = Layer.HTTP, Layer.TLS, Layer.TCP
PORTS = {"http": 80, "https": 443, "echo": 7, "discard": 9}
#: Names that version 1 sent as controls (censoredplanet-analysis, flatten_base.py).
_CONTROLS = frozenset({"example5718349450314.com", "rtyutgyhefdafioasfjhjhi.com"})
_SENT = re.compile(r"GET (\S*) HTTP/1\.1\r\nHost: ([^\r\n]*)")
#: Version 1 names its protocol in the name of the folder only: `CP_Quack-https-2020-11-06-...`.
_PROTOCOL = re.compile(r"quack-(https|http|echo|discard)(?![a-z])", re.IGNORECASE)


class _Trial1(msgspec.Struct, gc=False):
    Sent: str | None = None
    Received: Page | str | None = None
    Success: bool | None = None
    Error: str | None = None
    StartTime: str | None = None
    EndTime: str | None = None


class Version1(msgspec.Struct, gc=False):
    """One row: all times that one name was sent to one server."""

    Server: str
    Keyword: str
    Results: list[_Trial1]
    Retries: int = 0
    FailSanity: bool | None = None
    StatefulBlock: bool | None = None


class _Trial2(msgspec.Struct, gc=False):
    matches_template: bool | None = None
    control_url: str | None = None
    response: Page | str | None = None
    error: str | None = None
    start_time: str | None = None
    end_time: str | None = None


class Version2(msgspec.Struct, gc=False):
    """The same in version 2, which begins with a control and ends with one where the name did not go through."""

    vp: str
    service: str
    test_url: str
    response: list[_Trial2]
    location: Location | None = None
    controls_failed: bool | None = None
    stateful_block: bool | None = None


class _Trial(NamedTuple):
    """One time that a name was sent, in either version."""

    name: str
    is_control: bool
    matched: bool
    page: Page | str | None
    error: str
    start: str | None
    end: str | None


def version1(item: Item, row: Version1, context: Context) -> tuple[Measurement, Observed]:
    """Raises `Refused`."""
    said = _PROTOCOL.search(item.file)
    if said is None:
        why = "the row does not say its protocol; the folder's name does, such as CP_Quack-https-2020-11-06-00-00-01"
        raise Refused("no_protocol", why)
    trials = [_trial1(row, place, made) for place, made in enumerate(row.Results)]
    flags = _flags(row.FailSanity, row.StatefulBlock)
    return _measured(item, Server(row.Server), said[1].lower(), "v1", row.Keyword, None, trials, flags, context)


def _trial1(row: Version1, place: int, made: _Trial1) -> _Trial:
    sent = _name_sent(made.Sent or "")
    # Where nothing was answered, what was sent may be missing too; controls come after the retries.
    is_control = sent in _CONTROLS if sent else place > row.Retries
    name = sent or ("" if is_control else row.Keyword)
    if not is_control and sent and sent != _name_sent(row.Keyword):
        raise Refused("trials_disagree", "a trial sent another name than the row says")
    return _Trial(name, is_control, made.Success is True, made.Received, made.Error or "", made.StartTime, made.EndTime)


def _name_sent(sent: str) -> str:
    """The name in what was sent. Some rows of the discard protocol have name and path the wrong way round."""
    if match := _SENT.search(sent):
        path, host = match[1], match[2]
        sent = path if host.startswith("/") else host
    return envelope.hostname(sent.strip())


def version2(item: Item, row: Version2, context: Context) -> tuple[Measurement, Observed]:
    """Raises `Refused`."""
    if row.service not in PORTS:
        raise Refused("no_protocol", f"the row's service is none of {', '.join(PORTS)}")
    trials = [
        _Trial(
            row.test_url if made.control_url is None else made.control_url, made.control_url is not None,
            made.matches_template is True, made.response, made.error or "", made.start_time, made.end_time,
        )
        for made in row.response
    ]  # fmt: skip
    flags = _flags(row.controls_failed, row.stateful_block)
    return _measured(item, Server(row.vp), row.service, "v2", row.test_url, row.location, trials, flags, context)


def _flags(controls_failed: bool | None, stateful: bool | None) -> list[Observation]:
    """What the archive itself says of the controls. Where it does not say that all is well, it may not be."""
    said = (("archive_controls_failed", controls_failed), ("archive_stateful_block", stateful))
    return [
        Observation(HTTP, Vantage.CONTROL, engine="archive", failure=name) for name, holds in said if holds is not False
    ]


def _measured(
    item: Item, server: Server, protocol: str, version: str, name: str, location: Location | None,
    trials: list[_Trial], flags: list[Observation], context: Context,
) -> tuple[Measurement, Observed]:  # fmt: skip
    if not trials:
        raise Refused("no_trials", "the row holds no answer of the server")
    when = vantagepoint.moment(trials[0].start, context.now)
    where = server.line(location, when, context)
    test = f"hyperquack_{protocol}"
    made = vantagepoint.measurement(item, server, where, when, test, version, name, Grade.A)
    return made, Observed([_observed(server, protocol, trial, when) for trial in trials] + flags)


def _observed(server: Server, protocol: str, trial: _Trial, begin: datetime) -> Observation:
    scheme = "https" if protocol == "https" else "http"
    who = Vantage.CONTROL if trial.is_control else Vantage.PROBE
    port = PORTS[protocol]
    layer, failed = _failure(trial.error, protocol)
    fields: dict[str, Any] = {}
    if trial.matched:
        layer, engine = TLS if protocol == "https" else HTTP, "template"
    elif trial.page and failed is None:
        # The name may hold anything: what is no host stays out of the address.
        seen = vantagepoint.page(trial.page, server, f"{scheme}://{envelope.hostname(trial.name)}/", port, who)
        seen.t0, seen.t = _since(begin, trial.start), _since(begin, trial.end)
        return seen
    else:
        engine, fields = "trial", {"failure": failed or "unknown_failure"}
    return Observation(
        layer, who, server.hide(envelope.hostname(trial.name)[:253]), port=port, engine=engine,
        t0=_since(begin, trial.start), t=_since(begin, trial.end), **fields,
    )  # fmt: skip


def _since(begin: datetime, text: str | None) -> float | None:
    moment = vantagepoint.parsed(text)
    return (moment - begin).total_seconds() if moment else None


#: Texts by which an error tells at which step it came, with OONI's word for it; the first that stands in it counts.
#: (After censoredplanet-analysis, hyperquack_outcome.py.) At the layer TCP the name had not been sent yet, or nobody
#: knows whether it had. Over https a request that nobody answered came after the handshake: its layer is HTTP.
_ERRORS: tuple[tuple[str, Layer | None, str | None], ...] = (
    ("not match", None, None),
    ("n't match", None, None),
    ("header field", None, None),
    ("Incorrect ", None, None),
    ("Received response", None, None),
    ("response is not empty", None, None),
    ("waiting for connection", TCP, "generic_timeout_error"),
    ("network is unreachable", TCP, "network_unreachable"),
    ("no route to host", TCP, "host_unreachable"),
    ("connection refused", TCP, "connection_refused"),
    ("connect: connection reset", TCP, "connection_reset"),
    ("getsockopt: connection reset", TCP, "connection_reset"),
    ("write: connection reset", TCP, "connection_reset"),
    ("timed out", TCP, "generic_timeout_error"),
    ("TLS handshake timeout", TLS, "generic_timeout_error"),
    ("request canceled", HTTP, "generic_timeout_error"),
    ("deadline exceeded", TCP, "generic_timeout_error"),
    ("dial ", TCP, "unknown_failure"),
    ("already in use", TCP, "unknown_failure"),
    ("too many open files", TCP, "unknown_failure"),
    ("protocol not available", TCP, "unknown_failure"),
    ("tls: ", TLS, "ssl_failed_handshake"),
    ("remote error: ", TLS, "ssl_failed_handshake"),
    ("local error: ", TLS, "ssl_failed_handshake"),
    ("read: connection reset by peer", HTTP, "connection_reset"),
    ("EOF", HTTP, "eof_error"),
)
_READ = re.compile(r"\bread (?:tcp|udp)\b")


def _failure(error: str, protocol: str) -> tuple[Layer, str | None]:
    """The layer and OONI's failure string of an error; no failure where there was an answer, only not the usual one."""
    first = error.partition(";")[0]
    for text, layer, failed in _ERRORS:
        if text in first:
            # Who resets a connection over https after the name was sent saw it in the handshake.
            is_reset = layer is HTTP and failed == "connection_reset" and protocol == "https"
            return TLS if is_reset else layer or HTTP, failed
    if first.endswith("i/o timeout"):
        return (HTTP if _READ.search(first) else TCP), "generic_timeout_error"
    return HTTP, "unknown_failure" if first else None
