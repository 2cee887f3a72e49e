"""The invented country: who measures what and when, what they meet, and when it reaches the archive."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from .scenario import Event, Network, Scenario
from .shapes import CONNECTING, Keys, Shape, page
from .transfers import Transfer, line, transfer

VERSION = "0.5.28"
_DAY = timedelta(days=1)
_FOREIGN = 65_000


class _Run(msgspec.Struct, frozen=True):
    """One run of one probe: all its measurements share a report. `has_others`: it measures the other sites too."""

    network: Network
    at: datetime
    report: str
    dice: random.Random
    has_others: bool = False


def simulate(scenario: Scenario, seed: int | None = None) -> Iterator[bytes]:
    """Raw measurements as JSON lines, in the order in which they reach the archive. Same seed, same bytes.

    Each network and day draws from a stream of its own, so that an event does not change what is drawn elsewhere.
    """
    chosen = scenario.seed if seed is None else seed
    pending = [_line(row) for network in scenario.networks for row in _odd_probes(scenario, network, chosen)]
    day = scenario.start
    while day < scenario.end:
        for network in scenario.networks:
            pending += [_line(row) for row in _day(scenario, network, day, chosen)]
        day += _DAY
        # Nothing reaches the archive before it is measured: what came before the next day is complete.
        pending.sort()
        ready = bisect_left(pending, (f"{day:%Y%m%d%H%M%S}", b""))
        yield from (line for _, line in pending[:ready])
        del pending[:ready]
    yield from (line for _, line in pending)


def _line(row: dict[str, Any]) -> tuple[str, bytes]:
    return row["measurement_uid"], msgspec.json.encode(row) + b"\n"


def truth(scenario: Scenario) -> list[tuple[str, str, str, datetime, datetime]]:
    """What really happened: network, state, mechanism, from, to (UTC)."""
    found = []
    for event in scenario.events:
        if event.kind in ("block", "throttle"):
            state, mechanism = (
                ("blocked", event.mechanism or "") if event.kind == "block" else ("throttled", "throttle.rate")
            )
            for network in scenario.networks:
                if _hits(event, network):
                    found.append((f"AS{network.asn}", state, mechanism, event.start, event.end))
    return sorted(found)


def _hits(event: Event, network: Network) -> bool:
    return not event.networks or network.asn in event.networks


def _day(scenario: Scenario, network: Network, day: datetime, seed: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(f"{scenario.name}/{seed}/{network.asn}/{day:%Y%m%d}")  # noqa: S311
    for run in _runs(scenario, network, day, dice):
        yield from _measurements(scenario, run, seed)


def _odd_probes(scenario: Scenario, network: Network, seed: int) -> Iterator[dict[str, Any]]:
    for place, event in enumerate(scenario.events):
        if event.kind in ("forged", "broken_probe") and _hits(event, network):
            dice = random.Random(f"{scenario.name}/{seed}/{network.asn}/event {place}")  # noqa: S311
            yield from _odd_probe(scenario, network, event, dice, seed)


def _runs(scenario: Scenario, network: Network, day: datetime, dice: random.Random) -> Iterator[_Run]:
    """About `per_day` measurements, in runs of one for each address of the service."""
    wanted = network.per_day / len(scenario.service.urls)
    count = int(wanted) + (dice.random() < wanted - int(wanted))
    share = scenario.others.share if scenario.others and network.kbits is not None else 0.0
    # Spread evenly over the runs: by chance alone whole days would have none, and nothing to compare with.
    passed = day.toordinal() * wanted * share % 1
    for _ in range(count):
        at = (day + _DAY * dice.random()).replace(microsecond=0)
        report, own = f"{dice.getrandbits(40):010x}", random.Random(dice.getrandbits(64))  # noqa: S311
        passed += share
        yield _Run(network, at, report, own, passed >= 1)
        passed %= 1


def _measurements(scenario: Scenario, run: _Run, seed: int) -> Iterator[dict[str, Any]]:
    at = run.at
    now = [event for event in scenario.events if event.start <= at < event.end and _hits(event, run.network)]
    kinds = {event.kind: event for event in now}
    if "gap" in kinds or at >= scenario.end:
        return
    vpn = "vpn" in kinds and run.dice.random() < kinds["vpn"].share
    block = next((event for event in now if event.kind in ("block", "throttle")), None)
    met = block if block is not None and run.dice.random() < block.share and not vpn else None
    delay = timedelta(hours=kinds["late"].delay_hours) if "late" in kinds else timedelta(0)
    cap = met.kbits if met is not None else None
    speeds = _Speeds(run)
    for place, url in enumerate(scenario.service.urls):
        cause = ""
        if "site_down" in kinds:
            cause = "site_down"
        elif met is not None and cap is None:
            cause = _cause(met, url)
        elif run.dice.random() < scenario.noise:
            cause = "noise"
        keys = Shape(url, scenario.service.address, speeds.transfer(url, cap)).keys(cause)
        yield _row(scenario, run, seed, url, keys, timedelta(seconds=7 * place), delay, vpn)
    yield from _other_sites(scenario, run, seed, speeds, delay, vpn)


def _other_sites(
    scenario: Scenario, run: _Run, seed: int, speeds: _Speeds, delay: timedelta, vpn: bool
) -> Iterator[dict[str, Any]]:
    """Sites of no service in the same report, where their speed says something. Nothing blocks or slows them."""
    others = scenario.others
    if others is None or not run.has_others:
        return
    for place, url in enumerate(others.urls, len(scenario.service.urls)):
        cause = "noise" if run.dice.random() < scenario.noise else ""
        keys = Shape(url, others.address, speeds.transfer(url, None)).keys(cause)
        yield _row(scenario, run, seed, url, keys, timedelta(seconds=7 * place), delay, vpn)


class _Speeds:
    """How fast the pages of a run come. They draw from a stream of their own: speeds change nothing else."""

    def __init__(self, run: _Run) -> None:
        self._line = None
        if run.network.kbits is not None:
            self._dice = random.Random(f"{run.report}/{run.at:%Y%m%d%H%M%S}/speed")  # noqa: S311
            self._line = line(run.network.kbits, run.at, self._dice)

    def transfer(self, url: str, cap: float | None) -> Transfer | None:
        """The transfer of an encrypted page, under a cap (kbit/s) if there is one; None where none is written down."""
        if self._line is None or not url.startswith("https:"):
            return None
        size = len(page(url.split("/")[2], is_long=True))
        return transfer(self._line, size, CONNECTING, cap, self._dice)


def _cause(block: Event, url: str) -> str:
    """What a block does to one address: filters on unencrypted pages don't see into encrypted ones, and the reverse."""
    mechanism = block.mechanism or "throttle"
    layer = mechanism.partition(".")[0]
    https = url.startswith("https")
    return "" if (layer == "http" and https) or (layer == "tls" and not https) else mechanism


def _odd_probe(
    scenario: Scenario, network: Network, event: Event, dice: random.Random, seed: int
) -> Iterator[dict[str, Any]]:
    """Forged reports of a block, or a probe whose own line is broken."""
    span = event.end - event.start
    url = next((url for url in scenario.service.urls if url.startswith("https")), scenario.service.urls[0])
    reports = [f"{dice.getrandbits(40):010x}" for _ in range(event.distinct_reports)]
    count = event.count if event.kind == "forged" else max(1, int(span / timedelta(hours=1)))
    for number in range(count):
        at = (event.start + span * dice.random()).replace(microsecond=0)
        report = reports[number % len(reports)] if event.kind == "forged" else f"{dice.getrandbits(40):010x}"
        run = _Run(network, at, report, random.Random(dice.getrandbits(64)))  # noqa: S311
        cause = "noise" if event.kind == "broken_probe" else "tls.reset" if url.startswith("https") else "http.reset"
        keys = Shape(url, scenario.service.address).keys(cause)
        row = _row(scenario, run, seed, url, keys, timedelta(0), timedelta(0), vpn=False)
        row["annotations"][event.kind] = "true"
        yield row


def _row(
    scenario: Scenario, run: _Run, seed: int, url: str, keys: Keys, shift: timedelta, delay: timedelta, vpn: bool
) -> dict[str, Any]:
    at = run.at + shift
    asn = run.network.asn
    resolver = _FOREIGN if vpn else run.network.resolver or asn
    received = at + timedelta(seconds=run.dice.uniform(2, 40)) + delay
    uid = f"{received:%Y%m%d%H%M%S.%f}_{scenario.place}_webconnectivity_{run.dice.getrandbits(64):016x}"
    return {
        "annotations": {"simulated": "true", "scenario": scenario.name, "seed": str(seed)},
        "data_format_version": "0.2.0",
        "input": url,
        "measurement_start_time": f"{at:%Y-%m-%d %H:%M:%S}",
        "measurement_uid": uid,
        "probe_asn": f"AS{asn}",
        "probe_cc": scenario.place,
        "probe_ip": "127.0.0.1",
        "probe_network_name": run.network.name,
        "report_id": f"{run.at:%Y%m%dT%H%M%S}Z_webconnectivity_{scenario.place}_{asn}_n1_{run.report}",
        "resolver_asn": f"AS{resolver}",
        "resolver_ip": "198.51.100.53",
        "software_name": "kholo-simulate",
        "software_version": "1",
        "test_keys": keys,
        "test_name": "web_connectivity",
        "test_runtime": 1.0,
        "test_start_time": f"{run.at:%Y-%m-%d %H:%M:%S}",
        "test_version": VERSION,
    }
