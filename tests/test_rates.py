"""Throttling by rate: said only where enough independent reports of all three sides say so."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.detect import incidents
from kholo.detect.rates import RateFinding, Transfer, slowdowns, speed
from kholo.model import Bracket, Said, State
from kholo.pipeline.cases import view
from kholo.pipeline.ingest import ingest
from kholo.pipeline.sets import judge_for
from kholo.publish import Site, build_site
from kholo.publish.book import Book
from kholo.publish.charts.throughput import speed_charts
from kholo.publish.language import language
from kholo.publish.told import told_html
from kholo.store import Store

from . import raw
from .material import full_view
from .raw import connect, exchange, handshake
from .sentences import spoken

BEFORE, NOW_ = datetime(2021, 2, 22, tzinfo=UTC), datetime(2021, 3, 11, tzinfo=UTC)
OTHERS = ("www.example.com", "news.example.org", "shop.example.net")


def transfer(
    host: str, kbits: float | None, moment: datetime, service: str | None = None, report: str = "", uid: str = ""
) -> Transfer:
    rate = kbits * 1e3 if kbits is not None else None
    own = report or f"{moment:%d%H%M}"
    return Transfer(service, host, "RU", "AS8402", moment, own, uid or f"{host}-{own}", False, rate)


def world(now: list[float | None], **more: Any) -> list[Transfer]:
    """X and three other sites, each in a report every six hours: three weeks as usual, then `now`.

    `others`, `before`, `others_before`: rates of those, gone through in turns.
    """
    found = []
    before: list[float] = more.get("before", FAST)
    for number in range(84 + len(now)):
        moment = NOW_ + timedelta(hours=6 * (number - 84))
        report = f"r{number}" if number < 84 else f"r{84 + (number - 84) % more.get('reports', 10**9)}"
        mine = now[number - 84] if number >= 84 else before[number % len(before)]
        found.append(transfer("abs.twimg.com", mine, moment, "x", report, f"x{number}"))
        beside = more.get("others", FAST) if number >= 84 else more.get("others_before", FAST)
        for place, host in enumerate(OTHERS[: more.get("hosts", 3)]):
            rate = beside[(number * 7 + place) % len(beside)]
            found.append(transfer(host, rate, moment, None, report, f"{host}{number}"))
    return found


def finding(found: list[Transfer], service: str = "x") -> RateFinding:
    """The last finding of a service, or of all other sites ("")."""
    return [one.finding for one in slowdowns(found) if one.finding.service == service][-1]


def assert_about(bracket: Bracket | None, first: datetime) -> None:
    """The bracket holds the time between the result before `first` and `first`, and hardly more."""
    assert bracket is not None
    before = first - timedelta(hours=6)
    assert first - timedelta(hours=12) <= bracket.earliest <= before < first <= bracket.latest
    assert bracket.latest <= first + timedelta(hours=12)


CAPPED: list[float | None] = [128.0, 131.0, 133.0, 138.0, 140.0, 144.0] * 3
FAST = [5_000.0, 6_000.0, 7_500.0, 8_000.0, 8_200.0, 9_000.0]


def test_the_cap_measured_in_russia_in_march_2021_is_found() -> None:
    (slow,) = [one for one in slowdowns(world(CAPPED)) if one.finding.service == "x"]
    found = slow.finding
    assert (found.state, found.kind, found.is_extreme) == (State.THROTTLED, "targeted", True)
    assert found.cap_kbits is not None
    assert 130 <= found.cap_kbits <= 150
    assert_about(found.onset, NOW_)
    assert found.end is None
    assert slow.spell is not None
    assert slow.spell.seen.state is State.THROTTLED


def test_it_is_an_incident_with_brackets_like_any_other() -> None:
    back: list[float | None] = [*CAPPED, *FAST, *FAST]
    spells = [one.spell for one in slowdowns(world(back)) if one.spell is not None]
    (incident,) = incidents([], slow=spells)
    assert (incident.kind, incident.networks, incident.mechanisms) == ("throttled", ("AS8402",), ("throttle.rate",))
    assert_about(incident.end, NOW_ + timedelta(hours=6 * 18))


def test_slow_without_a_common_rate_is_throttled_but_no_cap() -> None:
    found = finding(world([20.0, 90.0, 150.0, 300.0, 500.0, 700.0] * 3))
    assert (found.state, found.cap_kbits) == (State.THROTTLED, None)


def test_transfers_that_time_cut_off_are_slow_not_missing() -> None:
    some = finding(world([None, 131.0, None, None, None, 140.0] * 3))
    assert (some.state, some.now.reports, some.now.cut_off) == (State.THROTTLED, 18, 12)
    assert_about(some.onset, NOW_)
    assert finding(world([None] * 18)).state is State.OK, "where all are cut off, it may as well be a block"


def test_a_slow_line_is_not_a_throttled_service() -> None:
    found = world([rate / 50 for rate in FAST * 3], others=[rate / 50 for rate in FAST])
    assert finding(found).state is State.OK
    line = finding(found, "")
    assert (line.state, line.kind) == (State.INSUFFICIENT, "generalized")
    assert_about(line.onset, NOW_)
    assert not any(one.spell for one in slowdowns(found)), "nobody is accused of it"


def test_a_service_that_was_always_slow_is_not_throttled() -> None:
    assert finding(world(CAPPED, before=[130.0, 135.0, 140.0])).state is State.OK


def test_half_as_fast_is_within_the_ups_and_downs() -> None:
    assert finding(world([rate / 2 for rate in FAST * 5])).state is State.OK


def test_a_new_slow_address_of_the_service_is_not_throttled() -> None:
    """Its own usual is not known."""
    found = [one if one.service is None or one.measured_at < NOW_
             else msgspec.structs.replace(one, host="pbs.twimg.com") for one in world(CAPPED)]  # fmt: skip
    assert finding(found).state is State.OK


def test_what_is_missing_is_said() -> None:
    few = [one for one in world(CAPPED) if one.measured_at >= NOW_]
    assert finding(few).because == "no address with 20 reports from which to learn what is usual"
    assert finding(world(CAPPED, hosts=2)).because == "no transfers of 3 other sites at the time"


def test_every_reason_is_made_of_sentences_that_urdu_has() -> None:
    slow_line = world([rate / 50 for rate in FAST * 3], others=[rate / 50 for rate in FAST])
    few = [one for one in world(CAPPED) if one.measured_at >= NOW_]
    found = [
        finding(world(CAPPED)), finding(slow_line), finding(slow_line, ""), finding(few),
        finding(world(CAPPED, hosts=2)),
    ]  # fmt: skip
    assert len({one.because for one in found}) == len(found)
    for one in found:
        assert spoken(one.said) == one.because
        assert not re.search("[A-Za-z]", told_html(one.said, one.because, language("ur")))


def test_one_report_is_never_several() -> None:
    assert finding(world(CAPPED * 10, reports=2)).state is State.OK


def test_throttled_for_nearly_half_of_the_time_is_no_usual() -> None:
    found = finding(world(CAPPED * 4))
    assert found.state is State.THROTTLED
    assert_about(found.onset, NOW_)
    assert found.now.reports == 72


def test_the_page_of_a_case_says_how_slow_and_how_fast_others_were(tmp_path: Path) -> None:
    view = msgspec.structs.replace(full_view(), slow=(finding(world(CAPPED)),))
    build_site(Site([view]), tmp_path)
    page = (tmp_path / "en/cases/chirp-test/index.html").read_text()
    assert "at 136 kbit/s (the same in nearly every transfer: a cap) on AS8402 from 11 March 2021" in page
    assert "to 15 March 2021, where other sites got 7.8 Mbit/s. At other times Chirp" in page
    (slow,) = json.loads((tmp_path / "data/chirp-test/data.json").read_text())["slow"]
    assert (slow["kind"], slow["now"]["reports"]) == ("targeted", 18)


@hypothesis_settings(deadline=None)
@given(
    st.lists(st.none() | st.floats(1, 1e5), min_size=0, max_size=40),
    st.lists(st.floats(1, 1e5), min_size=1, max_size=12),
    st.lists(st.floats(1, 1e5), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_order_makes_no_difference_and_throttled_is_three_times_slower(
    now: list[float | None], others: list[float], before: list[float], dice: Any
) -> None:
    made = world(now, others=others, before=before)
    shuffled = dice.sample(made, len(made))
    found = [one.finding for one in slowdowns(made)]
    assert [one.finding for one in slowdowns(shuffled)] == found
    for one in found:
        if one.kind:
            assert one.times is None or one.times >= 3
            assert one.now.reports >= 3


def test_quiet_years_of_noisy_lines_show_nothing() -> None:
    """Rates that vary tenfold from report to report, evening hours in which the line is three times slower, addresses
    that differ, one transfer in fifty cut off: none of it is throttling."""
    draw = np.random.default_rng(20_210_310)
    found = []
    for line in range(25):
        for number in range(400):
            moment = BEFORE + timedelta(hours=float(draw.uniform(0, 24 * 200)))
            evening = 1 / 3 if 16 <= moment.hour < 21 else 1.0
            level = 4_000.0 * evening * float(draw.lognormal(0, 0.8))
            report = f"{line}-{number}"
            for place, host in enumerate(("abs.twimg.com", *OTHERS)):
                rate = None if draw.uniform() < 0.02 else level * float(draw.lognormal(-0.3 * place, 0.5))
                made = transfer(host, rate, moment, "x" if not place else None, report, f"{report}-{place}")
                found.append(msgspec.structs.replace(made, network=f"AS{line + 1}"))
    assert [one.finding for one in slowdowns(found) if one.finding.kind] == []


def test_throttled_lines_are_found_among_noise() -> None:
    draw = np.random.default_rng(20_210_311)
    begins, lasts = 90.0, 20.0
    held = []
    for line in range(20):
        found = []
        for number in range(400):
            day = float(draw.uniform(0, 200))
            level = 4_000.0 * float(draw.lognormal(0, 0.8))
            for place, host in enumerate(("abs.twimg.com", *OTHERS)):
                rate = level * float(draw.lognormal(0, 0.5))
                if not place and begins <= day < begins + lasts:
                    rate = min(rate, 140.0 * float(draw.lognormal(0, 0.1)))
                report = f"{line}-{number}"
                moment = BEFORE + timedelta(days=day)
                found.append(transfer(host, rate, moment, "x" if not place else None, report, f"{report}-{place}"))
        slow = [one.finding for one in slowdowns(found) if one.finding.kind == "targeted"]
        assert len(slow) == 1
        onset, end = BEFORE + timedelta(days=begins), BEFORE + timedelta(days=begins + lasts)
        assert slow[0].onset is not None
        assert slow[0].end is not None
        held += [slow[0].onset.earliest <= onset <= slow[0].onset.latest]
        held += [slow[0].end.earliest <= end <= slow[0].end.latest]
    assert sum(held) >= 0.85 * len(held)


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


def throttled_march() -> list[dict[str, Any]]:
    """Measurements of X and of other sites, four times a day; the last 18 of X stand at a cap."""
    lines = []
    for number in range(48):
        moment = NOW_ + timedelta(hours=6 * (number - 30))
        rate = CAPPED[number - 30] if number >= 30 else 8_000.0
        lines.append(measurement("abs.twimg.com", moment, number, rate or 0.0))
        lines += [measurement(host, moment, number, 8_000.0) for host in OTHERS]
    return lines


def test_from_the_bytes_of_probes_to_the_sentence_on_the_terminal(tmp_path: Path) -> None:
    source = tmp_path / "march.jsonl"
    source.write_bytes(b"".join(raw.encode(line) + b"\n" for line in throttled_march()))
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
    assert [row["state"] for row in rows if row["service"] == "x"] == ["throttled"]
    listed = runner.invoke(cli, ["incidents", "--store", store, "--json"])
    (incident,) = [json.loads(line) for line in listed.output.splitlines()]
    assert (incident["incident_id"], incident["grade"]) == ("x-RU-throttled-202103", "A")
    assert [spoken(msgspec.convert(said, tuple[Said, ...])) for said in incident["said"]] == incident["because"]
    assert incident["because"][0].startswith("X at 136 kbit/s (the same in nearly every transfer: a cap) on AS8402")
    timeline = runner.invoke(cli, ["timeline", "--store", store, "--json"])
    states = {
        row["day"]: row["state"] for row in map(json.loads, timeline.output.splitlines()) if row["service"] == "x"
    }
    assert (states["2021-03-09"], states["2021-03-12"]) == ("ok", "throttled")


CASE = """\
id = "x-russia-2021"
title = "X in Russia, 2021"
service = "x"
place = "RU"
summary = "X was slow."
start = 2021-03-01
end = 2021-03-20
[[actor]]
id = "users"
name = "Users"
role = "users"
"""
ENTRY = """\
id = "e1"
kind = "event"
event = "protest"
date = 2021-03-10
actor = "users"
title = "X was slow"
summary = "Users say that X was slow."
[[source]]
address = "https://example.org/slow"
publisher = "The Example"
read = 2021-05-01
"""


def test_the_page_of_a_case_draws_what_probes_wrote_down(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    source = tmp_path / "march.jsonl"
    source.write_bytes(b"".join(raw.encode(line) + b"\n" for line in throttled_march()))
    later = NOW_ + timedelta(days=30)
    ingest(store, [source], None, later)
    (tmp_path / "case" / "entries").mkdir(parents=True)
    (tmp_path / "case" / "case.toml").write_text(CASE)
    (tmp_path / "case" / "entries" / "e1.toml").write_text(ENTRY)
    made = view(tmp_path / "case", store, judge_for(store), later)
    # Every six hours from 3 March 12:00: four reports a day at 8,000 kbit/s, and from 11 March on at the cap.
    by_day = {one.first: one for one in made.speeds}
    assert {one.network for one in made.speeds} == {"AS8402"}
    assert all(one.days == 1 and one.others.kbits == pytest.approx(8_000, rel=0.01) for one in made.speeds)
    assert by_day[date(2021, 3, 8)].service.kbits == pytest.approx(8_000, rel=0.01)
    assert by_day[date(2021, 3, 8)].service.reports == 4
    # 133, 138, 140 and 144 kbit/s: the median is 139.
    assert by_day[date(2021, 3, 13)].service.kbits == pytest.approx(139, rel=0.02)
    (chart,) = speed_charts(made, language("en"))
    assert {row[1] for row in chart.rows} >= {"before", "while throttled"}
    again = view(tmp_path / "case", store, judge_for(store), later)
    assert again.speeds == made.speeds
    # What proves it are the slow transfers, though each page came; those of other times and sites do not.
    (incident,) = made.incidents
    proofs = made.proofs[incident.incident_id]
    assert len(proofs) == 6
    assert {(proof.state, proof.input) for proof in proofs} == {(State.OK, "https://abs.twimg.com/")}
    assert {proof.measurement_uid for proof in proofs} <= made.slow_uids
    assert min(proof.measured_at for proof in proofs) >= NOW_
    book = Book(Site([made]))
    page = book.page_at(f"en/incidents/{incident.incident_id}/")
    assert page is not None
    assert page.count(b"its transfer was far slower than usual") == 6
    assert page.count(b'class="at own"') == 4, "drawn for a wide screen and a narrow one, each with its legend"
    assert b"data/x-russia-2021/speeds.csv" in page
    transfer = book.page_at(f"en/measurements/{proofs[0].measurement_uid}/")
    assert transfer is not None
    assert b"Its transfer was far slower than usual, set against other sites at the time." in transfer
    blocked = msgspec.structs.replace(incident, state=State.BLOCKED)
    page = Book(Site([msgspec.structs.replace(made, incidents=(blocked,))])).page_at(
        f"en/incidents/{incident.incident_id}/"
    )
    assert page is not None
    assert b'class="at own"' not in page, "the page of a block draws no speeds"
