"""What an archive says of a line as a whole, whatever the service: how much came through, or that it was out."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .words import SignalKind

#: The unit of an outage's score that is the share lost, in per cent, summed over its minutes: IODA's. Divided by the
#: minutes it is the mean share lost.
LOST = "% lost x minutes"


class Signal(msgspec.Struct, frozen=True, order=True):
    """One statement of an archive about a place or a network, from `since` to `until` (UTC, exclusive).

    `source` is the archive ("ioda"), `signal` its own name of what was looked at ("bgp", "ping-slash24",
    "download"). `network` is "" where the whole place is meant. `service` is "" save where the archive counts a
    service by itself. A level has a `value` in `unit`; `usual` is what the archive expected instead, if it says so.
    An outage has a `score` of the archive in `value` (None: it gives none), and `until` is None while it lasts.
    `detail` is the archive's own words. `digest` is SHA-256 (hex) of the bytes it was read from.
    """

    source: str
    signal: str
    kind: SignalKind
    place: str
    network: str
    service: str
    since: datetime
    until: datetime | None
    value: float | None
    usual: float | None
    unit: str
    detail: str
    simulated: bool
    digest: str
    file: str
    line: int
