"""Throttling by rate: said only where enough independent reports of all three sides say so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.detect.rates import RateFinding, Transfer, rate_findings, speed
from kholo.model import State
from kholo.publish import build_site

from . import raw
from .material import full_view
from .raw import connect, exchange, handshake

BEFORE, NOW_ = datetime(2021, 2, 22, tzinfo=UTC), datetime(2021, 3, 11, tzinfo=UTC)
OTHERS = ("www.example.com", "news.example.org", "shop.example.net")


def transfers(
    host: str, kbits: list[float], start: datetime, service: str | None = None, reports: int | None = None
) -> Iterator[Transfer]:
    for place, rate in enumerate(kbits):
        report = f"{host}-{start:%d}-{place % (reports or len(kbits))}"
        yield Transfer(
            service,
            host,
            "RU",
            "AS8402",
            start + timedelta(minutes=place),
            report,
            f"{report}-{place}",
            False,
            rate * 1e3,
        )


def world(now: list[float], others: list[float], before: list[float], **more: Any) -> list[Transfer]:
    """The service now and before, and three other hosts in both windows, `others` now."""
    found = [*transfers("abs.twimg.com", now, NOW_, "x", more.get("reports"))]
    found += transfers("abs.twimg.com", before, BEFORE, "x")
    for place, host in enumerate(OTHERS[: more.get("hosts", 3)]):
        found += transfers(host, others[place::3], NOW_)
        found += transfers(host, more.get("others_before", [8_000.0] * 6)[place::3], BEFORE)
    return found


def latest(found: list[RateFinding]) -> RateFinding:
    return found[-1]


CAPPED = [128.0, 131.0, 133.0, 138.0, 140.0, 144.0]
FAST = [5_000.0, 6_000.0, 7_500.0, 8_000.0, 8_200.0, 9_000.0]


def test_the_cap_measured_in_russia_in_march_2021_is_found() -> None:
    finding = latest(rate_findings(world(CAPPED, FAST, FAST)))
    assert (finding.state, finding.kind, finding.is_extreme) == (State.THROTTLED, "targeted", True)
    assert finding.cap_kbits is not None
    assert 130 <= finding.cap_kbits <= 150
    assert finding.others.kbits == 7_750.0


def test_slow_without_a_common_rate_is_throttled_but_no_cap() -> None:
    finding = latest(rate_findings(world([20.0, 90.0, 150.0, 300.0, 500.0, 700.0], FAST, FAST)))
    assert (finding.state, finding.cap_kbits) == (State.THROTTLED, None)


def test_a_slow_line_is_not_a_throttled_service() -> None:
    finding = latest(rate_findings(world(CAPPED, [rate / 50 for rate in FAST], FAST)))
    assert (finding.state, finding.kind) == (State.INSUFFICIENT, "generalized")


def test_a_service_that_was_always_slow_is_not_throttled() -> None:
    assert latest(rate_findings(world(CAPPED, FAST, CAPPED))).state is State.OK


def test_what_is_missing_is_said() -> None:
    for found, words in (
        (world(CAPPED[:4], FAST, FAST), "4 reports of the service; 5 are needed"),
        (world(CAPPED, FAST, FAST[:3]), "3 reports of the service before; 5 are needed"),
        (world(CAPPED, FAST[:4], FAST), "4 reports of others at the time; 5 are needed"),
        (world(CAPPED * 2, FAST * 2, FAST, hosts=2), "2 other hosts at the time; 3 are needed"),
    ):
        finding = latest(rate_findings(found))
        assert (finding.state, finding.because) == (State.INSUFFICIENT, words)


def test_one_report_is_never_several() -> None:
    many = world(CAPPED * 20, FAST, FAST, reports=2)
    assert latest(rate_findings(many)).state is State.INSUFFICIENT


def test_a_throttled_week_is_no_measure_of_the_next() -> None:
    again = list(transfers("abs.twimg.com", CAPPED, NOW_ + timedelta(days=7), "x"))
    for place, host in enumerate(OTHERS):
        again += transfers(host, FAST[place::3], NOW_ + timedelta(days=7))
    found = rate_findings(world(CAPPED, FAST, FAST) + again)
    assert [finding.state for finding in found[-2:]] == [State.THROTTLED, State.THROTTLED]


def test_the_page_of_a_case_says_how_slow_and_how_fast_others_were(tmp_path: Path) -> None:
    view = msgspec.structs.replace(full_view(), slow=(latest(rate_findings(world(CAPPED, FAST, FAST))),))
    build_site([view], tmp_path)
    page = (tmp_path / "chirp-test" / "index.html").read_text()
    assert "at 136 kbit/s (the same in nearly every transfer: a cap) on AS8402 from 11 March 2021" in page
    assert "to 17 March 2021, where other sites got 7.8 Mbit/s. Before, Chirp" in page
    (slow,) = json.loads((tmp_path / "chirp-test" / "data.json").read_text())["slow"]
    assert (slow["kind"], slow["now"]["reports"]) == ("targeted", 6)


rates_ = st.lists(st.floats(1, 1e5), min_size=0, max_size=12)


@given(rates_, rates_, rates_, st.randoms(use_true_random=False))
def test_order_makes_no_difference_and_throttled_needs_enough_of_all(
    now: list[float], others: list[float], before: list[float], dice: Any
) -> None:
    made = world(now, others, before)
    shuffled = dice.sample(made, len(made))
    found = rate_findings(made)
    assert rate_findings(shuffled) == found
    for finding in found:
        if finding.state is State.THROTTLED:
            assert min(finding.now.reports, finding.others.reports, finding.before.reports) >= 5
            assert (finding.now.kbits or 0) * 3 <= min(finding.others.kbits or 0, finding.before.kbits or 0) + 0.1


def test_speeds_read_as_people_write_them() -> None:
    assert [speed(120.4), speed(8_000.0), speed(8_250.0)] == ["120 kbit/s", "8 Mbit/s", "8.2 Mbit/s"]


def measurement(host: str, start: datetime, number: int, kbits: float) -> dict[str, Any]:
    """A page of 64 KiB over a verified connection, with the events that the probe writes down."""
    size, steps = 65_536, 16
    seconds = size * 8 / (kbits * 1e3)
    moment = start + timedelta(minutes=number)
    events = [{"operation": "http_transaction_start", "t": 0.3, "transaction_id": 7}]
    events += [
        {"operation": "read", "num_bytes": size // steps, "t": 0.4 + seconds * step / (steps - 1), "transaction_id": 7}
        for step in range(steps)
    ]
    url = f"https://{host}/"
    key = f"{moment:%Y%m%d%H%M%S}.000000_RU_webconnectivity_{number:04}{sum(host.encode()):012}"
    return raw.measurement(
        url, measurement_uid=key, report_id=f"{host}-{moment:%d%H%M}", probe_cc="RU",
        measurement_start_time=f"{moment:%Y-%m-%d %H:%M:%S}", probe_asn="AS8402",
        tcp_connect=[connect()], tls_handshakes=[handshake(host=host)],
        requests=[{**exchange(url), "t": 0.5 + seconds}], network_events=events,
    )  # fmt: skip


def test_from_the_bytes_of_probes_to_the_sentence_on_the_terminal(tmp_path: Path) -> None:
    lines = [measurement("abs.twimg.com", NOW_, n, rate) for n, rate in enumerate(CAPPED)]
    lines += [measurement("abs.twimg.com", BEFORE, n, 8_000.0) for n in range(6)]
    for host in OTHERS:
        lines += [measurement(host, NOW_, n, 8_000.0) for n in range(4)]
    source = tmp_path / "march.jsonl"
    source.write_bytes(b"".join(raw.encode(line) + b"\n" for line in lines))
    store = str(tmp_path / "store")
    runner = CliRunner()
    assert runner.invoke(cli, ["ingest", str(source), "--store", store]).exit_code == 0
    told = runner.invoke(cli, ["rates", "--store", store, "--service", "x"])
    assert told.exit_code == 0, told.output
    assert re.search(r"X at 13[56] kbit/s \(the same in nearly every transfer: a cap\) on AS8402", told.output), (
        told.output
    )
    assert "where other sites got 8" in told.output
    rows = [json.loads(line) for line in runner.invoke(cli, ["rates", "--store", store, "--json"]).output.splitlines()]
    assert [row["state"] for row in rows if row["service"] == "x"] == ["insufficient", "throttled"]
