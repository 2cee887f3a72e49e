"""Which addresses can't be the answer for a public name."""

from __future__ import annotations

import hashlib
import ipaddress
import tomllib
from functools import lru_cache
from pathlib import Path

from kholo.model import ReferenceDataError

from .files import read

SHIPPED = Path(__file__).with_name("bogons.toml")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Bogons:
    """Ranges of addresses. `digest` is SHA-256 of the file, in hex."""

    def __init__(self, ranges: tuple[_Network, ...], simulated: tuple[_Network, ...], digest: str) -> None:
        self.digest = digest
        self._ranges, self._simulated = ranges, simulated
        self.is_bogon = lru_cache(maxsize=65_536)(self._is_bogon)

    def _is_bogon(self, address: str, simulated: bool) -> bool:
        """True for an address in the ranges; False too for text that is no address (it proves nothing)."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if simulated and any(parsed in net for net in self._simulated if net.version == parsed.version):
            return False
        return any(parsed in net for net in self._ranges if net.version == parsed.version)


def load_bogons(path: Path = SHIPPED) -> Bogons:
    """Read the ranges. Raises `ReferenceDataError` naming the file."""
    return _parsed(path, read(path))


@lru_cache(maxsize=8)
def _parsed(path: Path, data: bytes) -> Bogons:
    try:
        table = tomllib.loads(data.decode())
        ranges = tuple(ipaddress.ip_network(text) for text in table["ranges"])
        simulated = tuple(ipaddress.ip_network(text) for text in table.get("simulated", ()))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReferenceDataError(f"{path}: not a usable list of bogon ranges: {error!r}") from error
    return Bogons(ranges, simulated, hashlib.sha256(data).hexdigest())
