"""Measurements, what could not be one, and the facts observed in them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .words import Grade, Layer, Vantage


class Reject(msgspec.Struct, frozen=True, order=True):
    """An item of input that could not be used: where it was, why, and the digest of its bytes.

    `reason` is a code from `docs/rejects.md`; `detail` says it in words. `line` counts from 1; for a
    member of an archive it is the member's place. `digest` is SHA-256 in hex of the item's bytes, or
    of what could be read of them.
    """

    file: str
    line: int
    reason: str
    detail: str
    digest: str


class Measurement(msgspec.Struct, gc=False):
    """One run of one test by one probe against one input at one time. Not trusted: any field may be forged.

    `digest` is SHA-256 (hex) of the bytes as received. `measured_at` is UTC. `report` is a keyed-off
    digest of the report id, or "" where the archive gave none; it serves to count, never to show.
    `kind` says how deep the evidence goes: A raw measurement, B an archive's per-measurement result.
    `is_custom`: the person running the probe set options of their own. `is_clock_ahead`: the probe's clock says
    that it measured after the archive had received the result. `vantage`: who measured; `place` and `network` are where
    the measured line is, also where it was measured from outside.
    """

    measurement_uid: str
    digest: str
    kind: Grade
    source: str
    test_name: str
    test_version: str
    input: str | None
    hostname: str
    measured_at: datetime
    place: str
    network: str
    resolver_network: str
    resolver_place: str
    report: str
    simulated: bool
    file: str
    line: int
    is_custom: bool = False
    is_clock_ahead: bool = False
    vantage: Vantage = Vantage.PROBE


class Observation(msgspec.Struct, gc=False, omit_defaults=True):
    """One fact at one layer, seen from one vantage.

    `failure` is OONI's string (df-007), None when the step worked. `hostname` is the name asked for (DNS),
    the SNI (TLS) or the host of the address (HTTP). `depth` counts redirects followed, from 0. Times are
    seconds from the start of the measurement. `engine` is `system`, `udp`, `doh` or `dot` for DNS.
    `proven`: True when a certificate valid for `hostname` was served, False when one was served and is not
    valid, None when nothing is known. `server` is what an answer says of its server; of a handshake that nobody
    validated, what the certificate says of the name (`sources/wire.py`). Bodies are kept for plain HTTP only, cut at
    `MAX_BODY`. `target` names what the step was made for, where neither name nor address tells: a kind of Tor relay,
    a variant of a handshake.
    """

    layer: Layer
    vantage: Vantage
    hostname: str = ""
    ip: str = ""
    port: int = 0
    failure: str | None = None
    depth: int = 0
    t0: float | None = None
    t: float | None = None
    engine: str = ""
    target: str = ""
    resolver: str = ""
    query_type: str = ""
    answers: tuple[str, ...] = ()
    answer_networks: tuple[int, ...] = ()
    proven: bool | None = None
    bytes_read: int = 0
    read_span: float = 0.0
    url: str = ""
    status: int = 0
    length: int = 0
    truncated: bool = False
    title: str = ""
    server: str = ""
    location: str = ""
    via: str = ""
    header_names: tuple[str, ...] = ()
    body: str = ""
    scores: tuple[float, float, float] | None = None


#: Characters of a plain-HTTP body kept for matching block pages.
MAX_BODY = 65_536
