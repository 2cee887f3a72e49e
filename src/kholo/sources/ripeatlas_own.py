"""What of a RIPE Atlas result leads to its probe: the addresses of its line, and its id in names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SCRUBBED = "[scrubbed]"
#: What a label of a name says instead of the id of the probe.
PROBE = "probe"


class Own:
    """The addresses and the id of one probe, to be kept out of everything."""

    def __init__(self, probe: int, addresses: Iterable[str | None]) -> None:
        self._addresses = {found for text in addresses if (found := self.parse(text or ""))}
        written = {form for address in self._addresses for form in _written(address)}
        forms = "|".join(re.escape(form) for form in sorted(written, key=lambda form: (-len(form), form)))
        self._written = re.compile(rf"(?<![0-9a-z]){'(?:' + forms + ')'}(?![0-9a-z])", re.IGNORECASE) if forms else None
        # Names of measurements that tell probes apart begin "<id>.<time>." or have the id in a label of its own.
        self._id = re.compile(rf"(?<![0-9a-z]){probe}(?![0-9a-z])", re.IGNORECASE)

    @staticmethod
    def parse(text: str) -> _Address | None:
        """The address that a text is; None where it is none."""
        try:
            found = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return None
        return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found

    def address(self, text: str) -> str:
        """An address fit to be kept; "" where it is none."""
        found = self.parse(text)
        if found is None:
            return ""
        return SCRUBBED if self._is_own(found) else str(found)

    def is_near(self, text: str) -> bool:
        """Whether an address is of the probe's line: its own, or one of a house or a provider's inside."""
        found = self.parse(text)
        return found is not None and (self._is_own(found) or not found.is_global)

    def hide(self, text: str) -> str:
        """A name or an address of the web without what leads to the probe."""
        if self._written is not None:
            text = self._written.sub(PROBE, text)
        return text if self.parse(text) else self._id.sub(PROBE, text)

    def _is_own(self, found: _Address) -> bool:
        return found in self._addresses or any(_line(found) == _line(own) for own in self._addresses)


def _line(address: _Address) -> _Address | int:
    """What all addresses of one line share: of IPv6 the first 64 bits."""
    return int(address) >> 64 if isinstance(address, ipaddress.IPv6Address) else address


def _written(address: _Address) -> set[str]:
    """How an address is written, in names too."""
    texts = {str(address), address.exploded, address.reverse_pointer}
    texts |= {address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")}
    return texts | {text.replace(".", "-").replace(":", "-") for text in texts}
