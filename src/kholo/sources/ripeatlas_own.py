"""What of a RIPE Atlas result leads to its probe: the addresses of its line, and its id in names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SCRUBBED = "[scrubbed]"
#: What a name says instead of the id or an address of the probe.
PROBE = "probe"


@lru_cache(maxsize=65_536)
def parse(text: str) -> Address | None:
    """The address that a text is; None where it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


class Own:
    """The addresses and the id of one probe, to be kept out of everything."""

    def __init__(self, probe: int, addresses: Iterable[str | None]) -> None:
        self._id = str(probe)
        self._addresses = {found for text in addresses if text and (found := parse(text))}
        self._lines = {_line(found) for found in self._addresses}

    def address(self, text: str) -> str:
        """An address fit to be kept; "" where it is none."""
        found = parse(text)
        if found is None:
            return ""
        return SCRUBBED if _line(found) in self._lines else str(found)

    def is_near(self, text: str) -> bool:
        """Whether an address is of the probe's line: its own, or one of a house or a provider's inside."""
        found = parse(text)
        return found is not None and (_line(found) in self._lines or not found.is_global)

    def hide(self, text: str) -> str:
        """A name or an address of the web without what leads to the probe.

        Names of measurements that tell probes apart begin `<id>.<time>.`, or have the id in them.
        """
        low = text.lower()
        written = {form for address in self._addresses for form in _written(address)}
        if not parse(text):
            written.add(self._id)
        for form in sorted((form for form in written if form in low), key=lambda form: (-len(form), form)):
            text = re.sub(rf"(?<![0-9a-z]){re.escape(form)}(?![0-9a-z])", PROBE, text, flags=re.IGNORECASE)
        return text


def _line(address: Address) -> Address | int:
    """What all addresses of one line share: of IPv6 the first 64 bits."""
    return int(address) >> 64 if isinstance(address, ipaddress.IPv6Address) else address


@lru_cache(maxsize=65_536)
def _written(address: Address) -> frozenset[str]:
    """How an address is written, in names too."""
    back = address.reverse_pointer
    texts = {str(address), address.exploded, back, back.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")}
    return frozenset(texts | {text.replace(".", "-").replace(":", "-") for text in texts})
