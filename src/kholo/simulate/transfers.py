"""How a page comes over the line: the bytes and times that a probe writes down (ooni/spec df-008; probe 3.16 and on).

A round trip to connect, one for the handshake, one for the request; then segments, as fast as the line is. The numbers
are invented, their shape is not: a line is slower in the evening and on some days, a site is farther away than another,
and now and then a transfer stalls.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import msgspec

#: Bytes: of a ClientHello, of the server's answer with its certificates, of a request, of the head of an answer.
HELLO, CERTIFICATES, ASKED, HEAD = 517, 4_210, 310, 620
#: Payload of a full TCP segment, bytes.
SEGMENT = 1_400
#: Seconds over which a probe reads at once what came in, and segments that one read takes at most.
_POLL, _MOST = 0.01, 10
#: Hours (UTC) in which everybody is at home, and what they leave of a line.
_EVENING, _LEFT = range(17, 22), 0.6
#: Share of transfers that stall, and the seconds for which they do.
_STALLS, _STALLED = 0.03, (0.2, 1.2)
#: The spread of rates about a cap: a policer holds them close.
_CAP_SPREAD = 0.04


class Line(msgspec.Struct, frozen=True):
    """The line of one run: kbit/s, and seconds of a round trip to a site nearby."""

    kbits: float
    round_trip: float


class Transfer(msgspec.Struct, frozen=True):
    """One page over TLS. `connected`, `shaken`, `done`: seconds at which the connection, the handshake and the page
    were there. `events`: the network events, without their address."""

    connected: float
    shaken: float
    done: float
    events: list[dict[str, Any]]


def line(kbits: float, at: datetime, dice: random.Random) -> Line:
    """The line of a run at a moment, on a network whose usual speed is `kbits`."""
    left = _LEFT if at.hour in _EVENING else 1.0
    return Line(kbits * left * dice.lognormvariate(0, 0.35), 0.035 * dice.lognormvariate(0, 0.3))


def transfer(line: Line, size: int, begun: float, cap: float | None, dice: random.Random) -> Transfer:
    """A page of `size` bytes, the connection opened at `begun` seconds. `cap`: kbit/s that it can't exceed."""
    trip = line.round_trip * dice.lognormvariate(0, 0.2)
    kbits = line.kbits * dice.lognormvariate(0, 0.25)
    if cap is not None:
        kbits = min(kbits, cap * dice.lognormvariate(0, _CAP_SPREAD))
    made = _Events(kbits, dice)
    connected = begun + trip
    made.add("connect", connected, begun)
    made.add("tls_handshake_start", connected)
    made.add("write", connected, size=HELLO)
    at = made.read(CERTIFICATES, connected + trip)
    made.add("write", at, size=64)
    shaken = at + 0.001
    made.add("tls_handshake_done", shaken)
    made.add("http_transaction_start", shaken)
    made.add("write", shaken, size=ASKED)
    thinking = trip + dice.uniform(0.01, 0.04)
    stalled = dice.uniform(*_STALLED) if dice.random() < _STALLS else 0.0
    at = made.read(HEAD + size, shaken + thinking + stalled)
    done = at + 0.0005
    made.add("http_transaction_done", done)
    return Transfer(round(connected, 6), round(shaken, 6), round(done, 6), made.events)


class _Events:
    """The events of one connection, in time."""

    def __init__(self, kbits: float, dice: random.Random) -> None:
        self.events: list[dict[str, Any]] = []
        self._second, self._dice = kbits * 1_000 / 8, dice

    def add(self, operation: str, t: float, t0: float | None = None, size: int = 0) -> None:
        times = {"t0": round(t if t0 is None else t0, 6), "t": round(t, 6), "transaction_id": 2}
        self.events.append({"failure": None, "operation": operation, **({"num_bytes": size} if size else {}), **times})

    def read(self, size: int, at: float) -> float:
        """Reads of `size` bytes that begin to come in at `at`, and the moment of the last."""
        most = max(1, min(_MOST, int(self._second * _POLL / SEGMENT)))
        while size > 0:
            count = min(size, SEGMENT * self._dice.randint(max(1, most // 2), most))
            size -= count
            begun, at = at, at + count / self._second
            self.add("read", at, begun, count)
        return at
