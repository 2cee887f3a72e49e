"""What all rows of measurements through somebody's server share: a time, a place, pages, and an address to keep back.

The address of the server finds its network and tells witnesses apart. It is then taken out of all that is kept.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property

import msgspec

from kholo.model import MAX_BODY, Grade, Layer, Measurement, Observation, Vantage
from kholo.reference.places import place_code

from . import envelope
from .envelope import Refused
from .items import Item
from .source import Context
from .titles import title

#: RFC 3339, and what Go prints of a time: `2021-10-20 14:51:41.22 -0400 EDT m=+24069.05`.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,12})? ?(Z|[+-]\d\d:?\d\d)"
    r"(?: [A-Z+-][A-Z0-9]{1,5})?(?: m=[+-][\d.]+)?",
    re.ASCII,
)
_CODE = re.compile(r"[A-Z]{2}", re.ASCII)
_STATUS = re.compile(r"(?:HTTP/\d(?:\.\d)? )?(\d{3})(?![0-9])", re.ASCII)
_TEXT = 2_048
_HEADERS = 64
SCRUBBED = "[scrubbed]"


class Location(msgspec.Struct, gc=False):
    """Where a server stands, by the archive's own lookup."""

    country_name: str | None = None
    country_code: str | None = None


class Page(msgspec.Struct, gc=False):
    """An answer over HTTP, as Censored Planet writes it."""

    status_line: str = ""
    headers: dict[str, list[str] | None] | None = None
    body: str | None = None


class Server:
    """The server that was measured through. Raises `Refused` when its address is none."""

    def __init__(self, address: str) -> None:
        try:
            # The message says nothing of the address: what is no address may still hold one.
            self._ip = ipaddress.ip_address(address)
        except ValueError:
            raise Refused("bad_address", "the vantage point is no IP address") from None
        self._written = {address, str(self._ip)}

    @property
    def report(self) -> str:
        """The digest that tells this witness from others."""
        return envelope.report(f"censoredplanet {self._ip}")

    def line(self, location: Location | None, when: datetime, context: Context) -> tuple[str, str]:
        """Its place and network. Raises `Refused` where neither the row nor the tables know the place."""
        network, looked_up = context.line_of(str(self._ip), when.date())
        said = (location.country_code or "").upper() if location else ""
        named = place_code(location.country_name or "") if location else ""
        place = said if _CODE.fullmatch(said) else named or looked_up
        if not place:
            raise Refused("no_place", "neither the row nor the tables of networks say in which country it was measured")
        return place, envelope.network(network)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The address as pages and host names write it: with dots or dashes, and back to front."""
        ways = [re.escape(text) for text in self._written]
        if self._ip.version == 4:
            parts = str(self._ip).split(".")
            ways += [r"[._-]".join(order) for order in (parts, parts[::-1])]
        return re.compile(rf"(?<![0-9a-fA-F])(?:{'|'.join(ways)})(?![0-9a-fA-F])", re.IGNORECASE)

    def hide(self, text: str) -> str:
        """The text without the server's address."""
        return self._pattern.sub(SCRUBBED, text) if text else ""


def parsed(text: str | None) -> datetime | None:
    """A time in UTC; None where it can't be read."""
    match = _TIME.fullmatch(text) if text else None
    if match is None:
        return None
    sign, digits = match[4][0], match[4][1:].replace(":", "")
    ahead = timedelta() if sign == "Z" else timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    micros = int((match[3] or ".0")[1:7].ljust(6, "0"))
    try:
        local = datetime.fromisoformat(f"{match[1]} {match[2]}").replace(microsecond=micros)
        return local.replace(tzinfo=timezone(-ahead if sign == "-" else ahead)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment(text: str | None, now: datetime) -> datetime:
    """A time of measurement in UTC. Raises `Refused`."""
    found = parsed(text)
    if found is None:
        # What stands there is not shown: it may hold the server's address.
        raise Refused("bad_time", "the start time can't be read; a time with its offset was expected")
    return envelope.plausible(found, now)


def measurement(
    item: Item, server: Server, where: tuple[str, str], when: datetime, test: str, version: str, name: str,
    grade: Grade, resolver: bool = False, uid: str = "",
) -> Measurement:  # fmt: skip
    """A measurement through `server`. `resolver`: the server is itself what answered for its network's names."""
    place, network = where
    asked = server.hide(name[: envelope.MAX_INPUT])
    return Measurement(
        envelope.uid(uid or None, item.digest),
        item.digest,
        grade,
        f"censoredplanet/{test}",
        test,
        version,
        asked,
        envelope.hostname(asked),
        when,
        place,
        network,
        network if resolver else "AS0",
        place if resolver else "",
        server.report,
        simulated=False,
        file=item.file,
        line=item.line,
        vantage=Vantage.REMOTE,
    )


def page(made: Page | str, server: Server, url: str, port: int, who: Vantage = Vantage.PROBE) -> Observation:
    """An answer as an observation; the body is kept where it came unencrypted."""
    if isinstance(made, str):
        made = Page(status_line=made[:64], body=made)
    is_plain = url.startswith("http://")
    # Hidden before it is cut, lest half of an address stay at the end.
    whole = made.body or ""
    body = server.hide(whole[: MAX_BODY + 64])[:MAX_BODY]
    headers = {key.lower(): values[0] for key, values in (made.headers or {}).items() if values}
    status = _STATUS.match(made.status_line)
    return Observation(
        Layer.HTTP,
        who,
        server.hide(envelope.hostname(url)),
        port=port,
        engine="page",
        url=server.hide(url[:_TEXT]),
        status=int(status[1]) if status else 0,
        length=len(whole),
        truncated=len(whole) > MAX_BODY,
        title=title(body),
        server=server.hide(headers.get("server", "")[:_TEXT]),
        location=server.hide(headers.get("location", "")[:_TEXT]),
        via=server.hide(headers.get("via", "")[:_TEXT]),
        header_names=tuple(sorted(server.hide(key[:64]) for key in list(headers)[:_HEADERS])) if is_plain else (),
        body=body if is_plain else "",
    )
