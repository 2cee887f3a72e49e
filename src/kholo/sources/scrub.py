"""What points at a person is taken out of raw measurements before they leave a store: a probe's address and city."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache

_ADDRESS = re.compile(rb'"probe_ip"\s*:\s*"([0-9A-Fa-f:.]{2,45})"')
#: In reports of 2012 to 2018, and in their header.
_YAML_ADDRESS = re.compile(rb"(?m)^[ {]*probe_ip: *['\"]?([0-9A-Fa-f:.]{2,45})")
_CITY = re.compile(rb'("probe_city"\s*:\s*)(?:"(?:[^"\\]|\\.)*")')
_YAML_CITY = re.compile(rb"(?m)^([ {]*probe_city: *).*$")
HIDDEN = b"[scrubbed]"


@lru_cache(maxsize=1_024)
def is_hidden(probe_ip: str | None) -> bool:
    """Whether the probe kept the volunteer's address to itself: loopback stands for it today."""
    try:
        address = ipaddress.ip_address(probe_ip or "")
    except ValueError:
        return True
    return address.is_loopback or address.is_unspecified


def without(data: bytes, address: str) -> bytes:
    """The bytes with an address taken out wherever it stands."""
    pattern = rb"(?<![0-9a-fA-F.:])" + re.escape(address.encode()) + rb"(?![0-9a-fA-F])"
    return re.sub(pattern, HIDDEN, data)


def scrubbed(received: bytes, *forms: bytes) -> tuple[bytes, ...]:
    """What was received, and other forms of it, without the probe's address and city; all is left alone without one."""
    every = received, *forms
    shown = sorted({address for one in every for address in _addresses(one) if not is_hidden(address)})
    return tuple(_without_all(one, shown) for one in every)


def _addresses(data: bytes) -> Iterator[str]:
    """The addresses of probes that a measurement names."""
    if b"probe_ip" in data:
        pattern = _ADDRESS if data.startswith(b"{") else _YAML_ADDRESS
        yield from (match.decode() for match in pattern.findall(data))


def _without_all(data: bytes, addresses: list[str]) -> bytes:
    for address in addresses:
        data = without(data, address)
    return _YAML_CITY.sub(rb"\1null", _CITY.sub(rb"\1null", data)) if b"probe_city" in data else data
