"""Witnesses that are no user's line: judged strictly, and never counted."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.judge import Judge
from kholo.judge.story import tell
from kholo.model import Evidence, Layer, Observation, State, Vantage, Verdict
from kholo.observe import observe
from kholo.pipeline import cases, sets
from kholo.pipeline.events import events
from kholo.pipeline.rates import transfers
from kholo.pipeline.verdicts import Filter, judged, select
from kholo.pipeline.work import line, work
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store, write_parquet

from . import remote
from .conftest import NOW
from .remote import CASES, HOSTED, RESET, between, control, drops, encode, hyperquack, trial
from .sentences import spoken


def verdict(judge: Judge, row: remote.Row) -> Verdict:
    ((measurement, payload),) = registry.decode(Item("test", 1, encode(row)), Context(NOW))  # type: ignore[misc]
    return judge.verdict(measurement, observe(payload, measurement.input))


@pytest.mark.parametrize("name", CASES)
def test_rows_from_outside(name: str, with_a_filter: Judge) -> None:
    row, rule = CASES[name]
    said = verdict(with_a_filter, row)
    assert said.rule_id == rule
    assert said.reachable is None, "nobody outside knows what a person could use"
    assert said.state not in (State.DOWN, State.THROTTLED)
    if said.state is State.BLOCKED:
        assert said.evidence is Evidence.MODERATE
        assert said.mechanism is not None


@pytest.mark.parametrize("name", HOSTED)
def test_hosted_devices(name: str, with_a_filter: Judge) -> None:
    (measurement, rows), rule = HOSTED[name]
    assert with_a_filter.verdict(measurement, rows).rule_id == rule


def blocked(judge: Judge) -> list[str]:
    return [name for name, (row, _) in CASES.items() if verdict(judge, row).state is State.BLOCKED]


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in ((*so_far, key), *paths(inner, (*so_far, key)))]


def test_no_one_thing_taken_out_makes_a_block(with_a_filter: Judge) -> None:
    """Of each row that says no block, any one value may be missing."""
    context = Context(NOW, lambda _address, _day: ("AS64500", "PK"))
    tried, nearly = 0, set()
    for name, (row, _) in CASES.items():
        if name in blocked(with_a_filter):
            continue
        for *way, key in paths(row):
            changed = copy.deepcopy(row)
            inner: Any = changed
            for step in way:
                inner = inner[step]
            del inner[key]
            tried += 1
            for found in registry.decode(Item("test", 1, encode(changed)), context):
                if isinstance(found, tuple):
                    said = with_a_filter.verdict(found[0], observe(found[1], None))
                    nearly |= {(name, key)} if said.state is State.BLOCKED else set()
    assert tried > 500
    assert nearly == NEARLY


#: Rows that are a block but for one thing that speaks against it, and that thing.
NEARLY = {
    ("https goes through at last", 5), ("block page of another country", "country_code"),
    ("block page of another country", "location"), ("bogon that the control has too", "matched"),
    ("bogon that the control has too", 0), ("bogon beside another", "185.0.0.7"),
    ("block page behind an excluded answer", "excluded"),
}  # fmt: skip


def test_one_answer_that_went_through_undoes_a_block(with_a_filter: Judge) -> None:
    for name in blocked(with_a_filter):
        row = copy.deepcopy(CASES[name][0])
        if "satellite_row" in row or "passed_liveness" in row:
            continue
        row["response"].insert(2, trial())
        assert verdict(with_a_filter, row).state is State.OK, name


def test_a_block_says_how_and_what_it_does_not_know(with_a_filter: Judge) -> None:
    row = between(*drops(RESET))
    ((measurement, payload),) = registry.decode(Item("test", 1, encode(row)), Context(NOW))  # type: ignore[misc]
    story = tell(with_a_filter, measurement, observe(payload, None))
    how = "the connection was reset (connection_reset). It ended at the encrypted handshake (TLS)."
    assert story.probe == (f"Sending the name x.com: {how}",) * 4
    assert story.story.probe == tuple(spoken(text.said) for text in story.probe)
    assert "measured from outside" in story.marks[0]
    assert not any("vantage" in name or "outside" in name for name in story.missing)


# ---- never counted -----------------------------------------------------------------------------------------------

_BEGIN = datetime.fromisoformat("2021-03-01T00:00:00+00:00")


def many(days: int) -> list[Item]:
    """X goes through for forty days, and then every handshake is reset, on three networks, through many servers."""
    items = []
    for number in range(days * 60):
        moment = (_BEGIN + timedelta(minutes=24 * number)).isoformat()
        is_blocked = number >= 40 * 60
        trials = [trial(RESET if is_blocked else "", start=moment)] * 3
        row = hyperquack(control(start=moment), *trials, control(start=moment), vp=f"93.184.{number % 90}.9")
        items.append(Item("many", number + 1, encode(row)))
    return items


def line_of(address: str, _day: object) -> tuple[str, str]:
    return f"AS{64500 + int(address.split('.')[2]) % 3}", "PK"


def stored(folder: Path, judge: Judge, *, as_probe: bool) -> Store:
    """A store of such rows; `as_probe`: with nothing changed but who looked."""
    store = Store(folder, create=True)
    done = work(many(60), Context(NOW, line_of), judge)
    assert len(done.lines) == 3_600
    rows = b"".join(line.measurement for line in done.lines)
    facts = b"".join(line.observations for line in done.lines)
    verdicts = b"".join(line.verdict for line in done.lines)
    if as_probe:
        rows, verdicts = (part.replace(b'"vantage":"remote"', b'"vantage":"probe"') for part in (rows, verdicts))
    store.add_part("part", {"measurements": rows, "observations": facts})
    if as_probe:
        # Judged as what it is: only whether it is counted is at stake here.
        write_parquet("verdicts", verdicts, store.derived(sets.keep(store, judge)) / "part.parquet")
    return store


def test_thousands_of_blocks_from_outside_are_no_incident(tmp_path: Path, judge: Judge) -> None:
    store = stored(tmp_path / "store", judge, as_probe=False)
    with judged(store, judge) as db:
        states = [row["state"] for row in select(db, Filter(vantage="remote", service="x"))]
        assert (states.count("blocked"), states.count("ok")) == (1_200, 2_400)
        assert list(select(db, Filter(vantage="probe"))) == []
    found = events(store, judge, Filter())
    assert (found.incidents, found.days, found.collapses, found.wanted, found.rates) == ((), (), (), (), ())
    seen = cases.view(CASE, store, judge, NOW)
    without = cases.view(CASE, None, judge, NOW)
    assert seen.measurements == 0
    assert (seen.assessments, seen.clocks, seen.incidents) == (without.assessments, without.clocks, ())


def test_the_same_from_users_lines_would_be_one(tmp_path: Path, judge: Judge) -> None:
    found = events(stored(tmp_path / "store", judge, as_probe=True), judge, Filter())
    assert [(one.service, one.state) for one in found.incidents] == [("x", State.BLOCKED)]


CASE = Path(__file__).parents[1] / "cases" / "x-pakistan-2024"


def test_rows_as_stored_are_judged_as_they_were_at_first(tmp_path: Path, with_a_filter: Judge) -> None:
    store = Store(tmp_path / "store", create=True)
    items = [Item("test", place, encode(row)) for place, (row, _) in enumerate(CASES.values(), 1)]
    done = work(items, Context(NOW), with_a_filter)
    store.add_part(
        "part",
        {
            "measurements": b"".join(line.measurement for line in done.lines),
            "observations": b"".join(line.observations for line in done.lines),
        },
    )
    first = {said["measurement_uid"]: said for said in (msgspec.json.decode(line.verdict) for line in done.lines)}
    with judged(store, with_a_filter) as db:
        again = {row["measurement_uid"]: row for row in select(db, Filter())}
    assert len(first) == len(CASES)
    assert {uid: row["rule_id"] for uid, row in again.items()} == {uid: row["rule_id"] for uid, row in first.items()}


def test_slow_or_silent_pages_of_hosted_devices_are_no_transfers(tmp_path: Path, judge: Judge) -> None:
    slow = Observation(
        Layer.HTTP, Vantage.PROBE, "x.com", "185.0.0.7", 443, "generic_timeout_error", url="https://x.com/"
    )
    for vantage, expected in ((Vantage.HOSTED, 0), (Vantage.PROBE, 1)):
        measurement, rows = remote.hosted(slow)
        measurement.vantage = vantage
        made = line(measurement, rows, judge.verdict(measurement, rows))
        store = Store(tmp_path / vantage, create=True)
        store.add_part("part", {"measurements": made.measurement, "observations": made.observations})
        with store.connect() as db:
            assert len(list(transfers(db, judge.reference, Filter()))) == expected
