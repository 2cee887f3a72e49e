"""HTTP as a guest behaves: few connections, waits that grow, what is asked for honoured, whole answers or none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, SSLError

from kholo import __version__
from kholo.model import NetworkFault, NotThere
from kholo.model.text import clean

from .wait import Patience, Timing, retry_after

T = TypeVar("T")

USER_AGENT = f"kholo/{__version__} (makes internet blocking checkable)"
#: Bytes of an answer that is read whole.
MAX_ANSWER = 64 << 20
PIECE = 1 << 16
_HOPS = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})


class Passing(Exception):
    """It failed, and may go well when it is tried again.

    `wait`: seconds that the other side asks for. `is_far`: there was nobody at all, which few tries will show.
    """

    def __init__(self, why: str, wait: float | None = None, is_far: bool = False) -> None:
        self.wait, self.is_far = wait, is_far
        super().__init__(why)


class Token(msgspec.Struct, frozen=True):
    """A secret, and the hosts it may go to. `variable` is where it came from."""

    secret: str
    hosts: frozenset[str]
    variable: str


class Web:
    """A few connections to other machines. May be used by several threads. Proxies are taken from the environment."""

    def __init__(
        self, timing: Timing, patience: Patience | None = None, connections: int = 4, token: Token | None = None
    ) -> None:
        self.timing = timing
        self.patience = patience or Patience()
        self.connections = connections
        self._token = token
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        self._not_before = 0.0

    def close(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            pool.clear()

    def get(self, address: str, what: str) -> bytes:
        """See `fetch.plan.Asked`."""
        return self.read(address, what, lambda data: data)

    def read(self, address: str, what: str, parse: Callable[[bytes], T]) -> T:
        """See `fetch.plan.Asked`."""

        def once() -> T:
            with self.answer(address, {}) as response:
                data = b"".join(pieces(response, MAX_ANSWER))
            try:
                return parse(data)
            except (ValueError, SyntaxError, msgspec.MsgspecError, RecursionError) as error:
                raise Passing(f"the answer is not what it should be ({clean(str(error), 120)})") from None

        return self.persist(what, address, once)

    def post(self, address: str, body: bytes, headers: Mapping[str, str], what: str, most: int) -> bytes:
        """The whole answer to a question, of at most `most` bytes; nothing that sends on is followed."""

        def once() -> bytes:
            with self.answer(address, headers, body) as response:
                return b"".join(pieces(response, most))

        return self.persist(what, address, once)

    def persist(self, what: str, address: str, once: Callable[[], T]) -> T:
        """Do it until it goes well, at most so many times. Raises `NetworkFault` then, or when the wait is too long."""
        number = 0
        while True:
            self._hold()
            try:
                return once()
            except Passing as error:
                last = error
            number += 1
            if last.wait is not None and last.wait > self.patience.longest:
                raise NetworkFault(
                    f"{_host(address)}: {what}: {last}, and asks to wait {last.wait / 60:.0f} minutes; try again then"
                )
            if number >= (self.patience.far if last.is_far else self.patience.tries):
                raise NetworkFault(f"{_host(address)}: {what}: {last}; tried {number} times")
            if last.wait is not None:
                self._let_all_wait(last.wait)
            self.timing.pause(max(self.patience.wait(number - 1, self.timing.chance()), last.wait or 0.0))

    @contextmanager
    def answer(
        self, address: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to one GET, redirects followed, or with a body to one POST; what it says is not read yet.

        Raises `Passing`, `NotThere`, or `NetworkFault` where trying again would not help.
        """
        response = self._followed(address, headers) if body is None else self._once(address, headers, body)
        try:
            _check(response, address, self._token)
            yield response
        except HTTPError as error:
            raise _failed(error) from None
        finally:
            _done(response)

    def _followed(self, address: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        for _ in range(_HOPS):
            response = self._once(address, headers)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            _done(response)
            before, address = address, urljoin(address, location)
            parts = urlsplit(address)
            if parts.scheme != "https" and (parts.scheme != "http" or urlsplit(before).scheme == "https"):
                raise NetworkFault(f"{_host(before)}: sends on to an address that is not encrypted; not followed")
        raise Passing(f"sends on more than {_HOPS} times")

    def _once(self, address: str, headers: Mapping[str, str], body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        host = urlsplit(address).hostname or ""
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        if self._token is not None and host in self._token.hosts:
            sent["Authorization"] = f"Bearer {self._token.secret}"
        try:
            return self._pool(address).request(
                "GET" if body is None else "POST",
                address,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except SSLError as error:
            raise NetworkFault(
                f"{host}: its certificate is not valid here ({clean(str(error), 120)}); somebody may stand between"
            ) from None
        except (HTTPError, UnicodeError) as error:
            raise _failed(error) from None

    def _pool(self, address: str) -> urllib3.PoolManager:
        parts = urlsplit(address)
        proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
        with self._lock:
            if proxy not in self._pools:
                timeout = urllib3.Timeout(connect=self.patience.connect, read=self.patience.read)
                self._pools[proxy] = (
                    urllib3.ProxyManager(proxy, maxsize=self.connections, block=True, timeout=timeout)
                    if proxy
                    else urllib3.PoolManager(maxsize=self.connections, block=True, timeout=timeout)
                )
            return self._pools[proxy]

    def _let_all_wait(self, seconds: float) -> None:
        """Who asks one connection to wait means all of them."""
        with self._lock:
            self._not_before = max(self._not_before, self.timing.clock() + seconds)

    def _hold(self) -> None:
        with self._lock:
            left = self._not_before - self.timing.clock()
        if left > 0:
            self.timing.pause(left)


def _done(response: urllib3.BaseHTTPResponse) -> None:
    """Give the connection back: as it is where the answer was read to its end, else closed."""
    response.close()
    response.release_conn()


def pieces(response: urllib3.BaseHTTPResponse, most: int) -> Iterator[bytes]:
    """The body, piece by piece. Raises `NetworkFault` where it is longer than `most` bytes."""
    size = 0
    for piece in response.stream(PIECE):
        size += len(piece)
        if size > most:
            raise NetworkFault(f"the answer has more than {most} bytes; nothing of it was kept")
        yield piece


def _check(response: urllib3.BaseHTTPResponse, address: str, token: Token | None) -> None:
    status, host = response.status, _host(address)
    if status in (200, 206):
        return
    if status in _PASSING or status >= 500 or status == 416:
        raise Passing(
            f"answers {status}", retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
        )
    if status in (404, 410):
        raise NotThere(f"{host}: there is nothing at {clean(address, 200)}")
    if status in (401, 403) and token is not None:
        raise NetworkFault(
            f"{host}: the token in {token.variable} is refused ({status}); is it the right one, and valid?"
        )
    said = clean(response.read(1_000, decode_content=False).decode("utf-8", "replace"), 200)
    raise NetworkFault(f"{host}: refuses the request ({status}): {said}")


def _failed(error: Exception) -> Passing:
    if isinstance(error, NameResolutionError):
        return Passing("its name can't be looked up; is there a network?", is_far=True)
    if isinstance(error, NewConnectionError):
        return Passing("can't be reached; is there a network?", is_far=True)
    return Passing(f"the connection failed ({type(error).__name__})")


def _host(address: str) -> str:
    return urlsplit(address).netloc.rpartition("@")[2]
