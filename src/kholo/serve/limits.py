"""How much one client may ask: a bucket of tokens each. Nothing of it is written anywhere."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

#: Clients that are remembered; of more, those that were longest away are forgotten, with a full bucket.
_CLIENTS = 65_536
#: A bucket holds what comes in so many seconds.
BURST = 10


class Left(msgspec.Struct, frozen=True):
    """What a client has left: `wait` is the seconds until the next request is answered, `full` until all is there."""

    limit: int
    remaining: int
    wait: int
    full: int

    def headers(self) -> list[tuple[str, str]]:
        """The same as headers, under the IETF draft's names and the older ones."""
        return [
            ("RateLimit-Policy", f'"requests";q={self.limit};w={BURST}'),
            ("RateLimit", f'"requests";r={self.remaining};t={self.full}'),
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.full)),
        ]


class Limits:
    """Buckets by client, as `known_as` has it."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._size = max(1.0, rate * BURST)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: bytes) -> tuple[bool, Left]:
        """Whether a request of this client is answered, and what it has left then."""
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.pop(client, (self._size, now))
            tokens = min(self._size, tokens + (now - then) * self._rate)
            is_fine = tokens >= 1
            tokens -= is_fine
            self._buckets[client] = tokens, now
            if len(self._buckets) > _CLIENTS:
                self._buckets.popitem(last=False)
        wait = 0 if tokens >= 1 else math.ceil((1 - tokens) / self._rate)
        return is_fine, Left(int(self._size), int(tokens), wait, math.ceil((self._size - tokens) / self._rate))


def known_as(client: str, salt: bytes) -> bytes:
    """What a client is known by: a digest of its address. The key is another one at each start."""
    return hashlib.blake2b(network_of(client).encode(errors="replace"), key=salt, digest_size=12).digest()


def network_of(client: str) -> str:
    """Whom an address counts for: of IPv6 the /64, which one customer has, but for one that stands for IPv4."""
    if ":" not in client:
        return client
    try:
        address = ipaddress.IPv6Address(client)
    except ValueError:
        return client
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
