"""Satellite: names are asked of open resolvers, and the answers compared with those of control resolvers.

Formats: docs.censoredplanet.org, satellitev1 (to February 2021: no times, no controls in the rows) and satellitev2
(from March 2021; in June 2021 its answers took another form). What rows need of other files of their folder is put
beside them as `Joined`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from kholo.model import Grade, Layer, Measurement, Observation, Vantage

from . import envelope, vantagepoint
from .envelope import Refused
from .items import Item
from .source import Context, Observed
from .vantagepoint import Location, Page, Server

DNS, TLS = Layer.DNS, Layer.TLS
PROBE, CONTROL = Vantage.PROBE, Vantage.CONTROL
#: The day of a scan stands in the name of its folder: `CP_Satellite-2018-08-03-00-00-01`, `Satellitev1_2018-08-03`.
_DAY = re.compile(r"satellite(?:v[12])?[^/\\#0-9]*(\d{4}-\d\d-\d\d)(?!\d)", re.IGNORECASE)
#: Names that are asked to see whether a resolver is alive (censoredplanet-analysis, flatten_base.py).
LIVENESS = frozenset({"a.root-servers.net", "www.example.com"})
MAX_ANSWERS = 64

_NUMBER = re.compile(r"-?\d{1,5}", re.ASCII)
#: RFC 1035, section 4.1.1, in OONI's words; -1 is Censored Planet's for no reply.
_RCODES = {2: "dns_server_failure", 3: "dns_nxdomain_error", 5: "dns_refused_error"}


class Version1(msgspec.Struct, gc=False):
    """One answer of one resolver, each address with what of it the control's answers share."""

    resolver: str
    query: str
    answers: dict[str, list[str] | None] | None = None
    error: Raw = Raw(b"")
    passed: bool | None = None


class _Tags(msgspec.Struct, gc=False):
    """What is known of one address answered, and what of it the control's answers share."""

    asnum: int | None = None
    matched: list[str] | None = None


class _Trip(msgspec.Struct, gc=False):
    """One question and its answer: the name, or one that only shows whether the resolver is alive."""

    url: str
    response: dict[str, _Tags | None] | None = None
    error: str | None = None
    rcode: int | None = None


class Version2(msgspec.Struct, gc=False):
    """All that one resolver was asked for one name. `response` is a table of addresses in the first months."""

    vp: str
    test_url: str
    start_time: str | None = None
    location: Location | None = None
    response: Raw = Raw(b"null")
    passed_liveness: bool | None = None
    passed_control: bool | None = None
    connect_error: bool | None = None
    in_control_group: bool | None = None
    excluded: bool | None = None


class Fetched(msgspec.Struct, gc=False):
    """What Censored Planet got when it asked an answered address for the name itself; text where that failed."""

    ip: str
    keyword: str
    http: Page | str | None = None


class Joined(msgspec.Struct, gc=False):
    """A row with what other files of its folder say of it."""

    satellite_row: Raw
    country: str = ""
    control: list[str] = msgspec.field(default_factory=list)
    networks: dict[str, int] = msgspec.field(default_factory=dict)
    pages: list[Fetched] = msgspec.field(default_factory=list)


_TRIPS = msgspec.json.Decoder(list[_Trip])
_TABLE = msgspec.json.Decoder(dict[str, Raw])
_STRINGS = msgspec.json.Decoder(list[str] | None)
_CODES = msgspec.json.Decoder(list[str | int] | None)

#: An address answered, what of it the control's answers share, and its network (0: not known).
_Given = dict[str, tuple[tuple[str, ...], int]]


def version1(item: Item, row: Version1, beside: Joined, context: Context) -> tuple[Measurement, Observed]:
    """Raises `Refused`."""
    day = scan_day(item.file)
    if day is None:
        why = "the row has no time; the name of its folder has, such as CP_Satellite-2018-08-03-00-00-01"
        raise Refused("no_time", why)
    server = Server(row.resolver)
    when = envelope.plausible(day, context.now)
    where = server.line(Location(country_name=beside.country), when, context)
    # The same answer comes week after week in the same bytes.
    uid = f"kholo-{hashlib.sha256(f'{day:%Y-%m-%d} {item.digest}'.encode()).hexdigest()[:32]}"
    made = vantagepoint.measurement(item, server, where, when, "satellite", "v1", row.query, Grade.B, True, uid)
    given = {ip: (tuple(tags or ()), beside.networks.get(ip, 0)) for ip, tags in (row.answers or {}).items()}
    seen = _answer(server, made.hostname, given, None if given else "dns_no_answer")
    # Only names that the control's resolvers knew stand in this file.
    group = [] if row.passed is None else [_control(server, made.hostname, given, beside.control)]
    return made, Observed([*seen, *group, *_pages(server, given, row.query, beside)])


def version2(item: Item, row: Version2, beside: Joined, context: Context) -> tuple[Measurement, Observed]:
    """Raises `Refused`, and what msgspec raises."""
    when = vantagepoint.moment(row.start_time, context.now)
    server = Server(row.vp)
    where = server.line(row.location, when, context)
    made = vantagepoint.measurement(item, server, where, when, "satellite", "v2", row.test_url, Grade.B, resolver=True)
    given, failures = _trips(row)
    seen = _answer(server, made.hostname, given, None if given else next(iter(failures), "dns_no_answer"))
    group = [_control(server, made.hostname, given, beside.control)] if row.in_control_group else []
    alive = row.passed_liveness if row.passed_liveness is not None else row.passed_control
    flags = (("archive_not_alive", alive is not True or row.connect_error), ("archive_excluded", row.excluded))
    said = [Observation(DNS, CONTROL, engine="archive", failure=name) for name, holds in flags if holds]
    return made, Observed([*seen, *group, *said, *_pages(server, given, row.test_url, beside)])


def scan_day(name: str) -> datetime | None:
    """The day (UTC) of the scan that a file belongs to, by the last folder that names it."""
    found = _DAY.findall(name)
    try:
        return datetime.fromisoformat(found[-1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def is_table(response: Raw) -> bool:
    """Whether answers are a table of addresses, as in the first months, and no list of questions."""
    return bytes(memoryview(response)[:1]) == b"{"


def _trips(row: Version2) -> tuple[_Given, list[str]]:
    """The addresses given for the name, and how questions failed that gave none."""
    if is_table(row.response):
        return _early(_TABLE.decode(row.response))
    given: _Given = {}
    failures = []
    for trip in _TRIPS.decode(row.response) if bytes(row.response) != b"null" else ():
        if trip.url in LIVENESS and trip.url != row.test_url:
            continue
        for ip, tags in (trip.response or {}).items():
            matched, asnum = (tags.matched, tags.asnum) if tags else (None, None)
            given[ip] = tuple(matched or ()), asnum if asnum and 0 < asnum < 2**32 else 0
        if not trip.response:
            failures.append(_failure(trip.rcode, trip.error or ""))
    return given, failures


def _early(table: dict[str, Raw]) -> tuple[_Given, list[str]]:
    """Answers as they stood from March to June 2021: tags by address, and two lists beside them."""
    codes = _CODES.decode(table.pop("rcode", Raw(b"null"))) or []
    errors = _STRINGS.decode(table.pop("error", Raw(b"null"))) or [""]
    given: _Given = {ip: (tuple(_STRINGS.decode(tags) or ()), 0) for ip, tags in table.items()}
    numbers = [int(code) for code in codes if _NUMBER.fullmatch(str(code))]
    return given, [_failure(code, errors[0]) for code in numbers if code]


def _failure(rcode: int | None, error: str) -> str:
    if rcode == -1 and "refused" in error:
        return "connection_refused"
    if rcode == -1:
        return "generic_timeout_error" if "timeout" in error else "unknown_failure"
    return _RCODES.get(rcode or 0, "unknown_failure" if rcode else "dns_no_answer")


def _answer(server: Server, name: str, given: _Given, failed: str | None) -> list[Observation]:
    """The answer, and what the archive knows of its addresses by their certificates."""
    first = list(given.items())[:MAX_ANSWERS]
    answer = Observation(
        DNS, PROBE, server.hide(name[:253]), engine="satellite", failure=failed,
        answers=tuple(server.hide(ip[:64]) for ip, _ in first), answer_networks=tuple(asn for _, (_, asn) in first),
    )  # fmt: skip
    proofs = [
        Observation(TLS, PROBE, answer.hostname, server.hide(ip[:64]), 443, engine="archive", proven=True)
        for ip, (matched, _) in first
        if "cert" in matched
    ]
    return [answer, *proofs]


def _control(server: Server, name: str, given: _Given, answers: list[str]) -> Observation:
    """What the control's resolvers answered: the addresses they share with the answer, and those of their own file."""
    known = dict.fromkeys([ip for ip, (matched, _) in given.items() if "ip" in matched])
    known |= dict.fromkeys(answers)
    shared = [asn for _, (matched, asn) in given.items() if "asnum" in matched or "asname" in matched]
    return Observation(
        DNS, CONTROL, server.hide(name[:253]), engine="satellite",
        answers=tuple(server.hide(ip[:64]) for ip in list(known)[:MAX_ANSWERS]),
        answer_networks=tuple(shared[:MAX_ANSWERS]),
    )  # fmt: skip


def _pages(server: Server, given: _Given, name: str, beside: Joined) -> list[Observation]:
    """Pages that the answered addresses gave over unencrypted HTTP."""
    found = []
    for fetched in beside.pages[:MAX_ANSWERS]:
        if fetched.ip in given and fetched.keyword == name and isinstance(fetched.http, Page):
            seen = vantagepoint.page(fetched.http, server, f"http://{envelope.hostname(name)}/", 80)
            seen.ip, seen.engine = server.hide(fetched.ip[:64]), "fetched"
            found.append(seen)
    return found
