"""Scenario files: what happens in the invented country. `docs/simulate.md` has the format."""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from kholo.disk import read
from kholo.model import ScenarioError

MECHANISMS = (
    "dns.bogon", "dns.nxdomain", "dns.timeout", "dns.blockpage", "tcp.timeout", "tcp.refused", "tcp.reset", "tls.reset",
    "tls.timeout", "tls.eof", "tls.mitm", "http.blockpage", "http.reset", "http.timeout",
)  # fmt: skip
KINDS = ("block", "throttle", "site_down", "vpn", "gap", "late", "forged", "broken_probe")
#: The only addresses of invented services (RFC 5737): ordinary in simulated rows, bogons in real ones.
ADDRESSES = ipaddress.ip_network("203.0.113.0/24")
#: Where the simulated block page is served; a service there would look blocked on every day.
BLOCK_PAGE = "203.0.113.80"
MAX_FILE = 1 << 20
MAX_NAME = 100
YEARS = (2000, 2100)
MAX_DAYS = 3_660
MAX_PER_DAY = 10_000
#: Speeds of lines and caps, kbit/s. Of slower ones a probe would run out of time, which is not simulated.
KBITS = (32.0, 10_000_000.0)
_SPEEDS = f"{KBITS[0]:,.0f} to {KBITS[1]:,.0f} kbit/s"
SHIPPED = Path(__file__).with_name("scenarios")
_HOST = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}example(?:/[\w./~%?&=+-]{0,200})?", re.ASCII
)
#: The keys that every event may have, and those that only some kinds read.
_COMMON = {"kind", "networks", "from", "to"}
_OWN = {
    "block": {"mechanism", "share"},
    "throttle": {"share", "kbits"},
    "vpn": {"share"},
    "late": {"delay_hours"},
    "forged": {"count", "distinct_reports"},
}


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The invented service: the addresses that are tested, and where they lead."""

    id: str
    urls: list[str]
    address: str


class Others(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other sites, which no service has: what the service's speed is set against. `share` of the runs measure them."""

    urls: list[str]
    address: str
    share: float


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network. `per_day` measurements of the service a day on average; `resolver` is another network's number, if
    it is one. `kbits`: its usual speed, kbit/s; without it probes write down no bytes and times of transfers."""

    asn: int
    name: str
    per_day: float
    resolver: int | None = None
    kbits: float | None = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Something that happens from `from` to `to` (UTC, not included) on `networks` (none named: on all)."""

    kind: str
    start: datetime
    end: datetime
    networks: list[int] = []
    mechanism: str | None = None
    share: float = 1.0
    delay_hours: float = 24.0
    count: int = 3
    distinct_reports: int = 1
    kbits: float | None = None


class Scenario(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"networks": "network", "events": "event"}
):
    """A whole scenario. Times are UTC; `noise` is the share of measurements that fail for no reason."""

    name: str
    seed: int
    start: datetime
    end: datetime
    place: str
    service: Service
    networks: list[Network]
    events: list[Event] = []
    noise: float = 0.01
    others: Others | None = None


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that come with kholo, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario. Raises `ScenarioError` naming the file, the key and what is allowed."""
    try:
        tables = tomllib.loads(read(path, MAX_FILE).decode())
        scenario = msgspec.convert(_utc(tables), Scenario)
    except FileNotFoundError:
        shipped = ", ".join(shipped_scenarios())
        raise ScenarioError(f"{path}: no such file, and no shipped scenario; shipped are: {shipped}") from None
    except OSError as error:
        raise ScenarioError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise ScenarioError(f"{path}: {_printable(_explain(str(error)))}") from error
    for problem in _stray_keys(tables) + _problems(scenario):
        raise ScenarioError(f"{path}: {_printable(problem)}")
    return scenario


def _utc(value: Any) -> Any:
    """Dates become their first moment, times without a zone are UTC."""
    if isinstance(value, dict):
        return {key: _utc(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_utc(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _explain(message: str) -> str:
    """Add the nearest right key to a complaint about an unknown one."""
    if "unknown field" not in message:
        return message
    wrong = message.split("`")[1]
    structs = (Scenario, Service, Others, Network, Event)
    keys = sorted({name for struct in structs for name in struct.__struct_encode_fields__})
    close = difflib.get_close_matches(wrong, keys, n=1)
    return f"{message}; {f'did you mean {close[0]!r}? ' if close else ''}allowed: {', '.join(keys)}"


def _printable(text: str) -> str:
    """Text for a terminal: a key of the file may hold control characters."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _stray_keys(tables: dict[str, Any]) -> list[str]:
    """Keys that are right on another kind of event: here nobody would read them."""
    found = []
    for event in tables.get("event", ()):
        allowed = _COMMON | _OWN.get(event["kind"], set())
        if event["kind"] in KINDS and (stray := sorted(set(event) - allowed)):
            found.append(f"event.{stray[0]}: not for kind {event['kind']!r}; allowed: {', '.join(sorted(allowed))}")
    return found


def _problems(scenario: Scenario) -> list[str]:
    if not YEARS[0] <= scenario.start.year <= scenario.end.year <= YEARS[1]:
        return [f"start, end: in the years {YEARS[0]} to {YEARS[1]}, start first"]
    found = []
    if not _is_name(scenario.name):
        found.append(f"name: 1 to {MAX_NAME} printable characters")
    if scenario.place != "ZZ":
        found.append(f"place: {scenario.place!r}; a simulated country is ZZ, so that nobody takes it for a real one")
    if not scenario.start < scenario.end <= scenario.start + timedelta(days=MAX_DAYS):
        found.append(f"end: must be after start, and at most {MAX_DAYS} days later")
    if not 0 <= scenario.noise <= 1:
        found.append("noise: a share from 0 to 1")
    numbers = [network.asn for network in scenario.networks]
    found += [f"network.asn: {asn} stands twice" for asn in sorted(set(numbers)) if numbers.count(asn) > 1]
    found += _sites_problems("service", scenario.service)
    if scenario.others is not None:
        found += _sites_problems("others", scenario.others)
        if not 0 <= scenario.others.share <= 1:
            found.append("others.share: from 0 to 1")
        mine = {_host(url) for url in scenario.service.urls}
        if mine & {_host(url) for url in scenario.others.urls}:
            found.append("others.urls: other hosts than those of the service")
    if not scenario.networks:
        found.append("network: at least one")
    for network in scenario.networks:
        found += _network_problems(network)
    for event in scenario.events:
        found += _event_problems(event, numbers)
        slowed = [one for one in scenario.networks if event.kbits and (not event.networks or one.asn in event.networks)]
        found += [f"event.kbits: network {one.asn} has no kbits of its own" for one in slowed if one.kbits is None]
        if not scenario.start <= event.start <= event.end <= scenario.end:
            found.append(
                f"event.from, event.to: {event.start:%Y-%m-%d} to {event.end:%Y-%m-%d} is not within the scenario"
            )
    return found


def _sites_problems(name: str, sites: Service | Others) -> list[str]:
    found = []
    if not _is_ours(sites.address):
        found.append(
            f"{name}.address: {sites.address!r}; an address of {ADDRESSES} (reserved for examples)"
            f" other than {BLOCK_PAGE}, where the block page is"
        )
    found += [
        f"{name}.urls: {url!r}; http:// or https:// and a host in small letters that ends in .example, no port"
        for url in sites.urls
        if not _HOST.fullmatch(url)
    ]
    if not sites.urls:
        found.append(f"{name}.urls: at least one")
    return found


def _network_problems(network: Network) -> list[str]:
    found = []
    if not _is_name(network.name):
        found.append(f"network.name: 1 to {MAX_NAME} printable characters")
    if network.resolver is not None and not 64496 <= network.resolver <= 65534:
        found.append(f"network.resolver: {network.resolver}; 64496 to 65534, as for asn")
    if not 64496 <= network.asn <= 65534:
        found.append(f"network.asn: {network.asn}; 64496 to 65534 are reserved for examples and private use")
    if not 0 < network.per_day <= MAX_PER_DAY:
        found.append(f"network.per_day: {network.per_day}; more than 0, at most {MAX_PER_DAY}")
    if not _is_speed(network.kbits):
        found.append(f"network.kbits: {network.kbits}; {_SPEEDS}")
    return found


def _event_problems(event: Event, numbers: list[int]) -> list[str]:
    found = []
    if event.kind not in KINDS:
        found.append(f"event.kind: {event.kind!r}; {_nearest(event.kind, KINDS)}")
    if event.kind == "block" and event.mechanism not in MECHANISMS:
        found.append(f"event.mechanism: {event.mechanism!r}; {_nearest(event.mechanism or '', MECHANISMS)}")
    if event.end <= event.start:
        found.append(f"event.to: must be after from ({event.start:%Y-%m-%d %H:%M})")
    if not 0 <= event.share <= 1 or not 0 <= event.delay_hours <= 24 * 366:
        found.append("event.share: from 0 to 1; event.delay_hours: from 0 to a year")
    if not _is_speed(event.kbits):
        found.append(f"event.kbits: {event.kbits}; {_SPEEDS}")
    if not 0 < event.distinct_reports <= event.count <= 100_000:
        found.append("event.count: 1 to 100000, and not fewer than distinct_reports")
    found += [f"event.networks: {asn} is no network of this scenario" for asn in event.networks if asn not in numbers]
    return found


def _nearest(value: str, allowed: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(value, allowed, n=1)
    return f"{f'did you mean {close[0]!r}? ' if close else ''}allowed: {', '.join(allowed)}"


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME and text.isprintable()


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _is_speed(kbits: float | None) -> bool:
    return kbits is None or KBITS[0] <= kbits <= KBITS[1]


def _is_ours(address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ADDRESSES and address != BLOCK_PAGE
    except ValueError:
        return False
