"""Hostile input: whatever is done to a measurement, nothing escapes, and no block is made of missing evidence."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.judge import Judge, load_ruleset
from kholo.model import IMPAIRED
from kholo.pipeline.work import work
from kholo.reference import load_reference
from kholo.simulate import load_scenario, shipped_scenarios, simulate
from kholo.sources.items import Item
from kholo.sources.source import Context

from . import raw
from .conftest import DATA, NOW

JUDGE = Judge(load_ruleset(), load_reference())
SAMPLES = [raw.encode(raw.measurement()), *list(simulate(load_scenario(shipped_scenarios()["mechanisms"])))[::150]]
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def taken(data: bytes) -> list[dict[str, Any]]:
    """The verdicts of one item; each item gives a verdict or a named reject."""
    done = work([Item("mutated", 1, data)], Context(NOW), JUDGE)
    assert len(done.lines) + len(done.rejects) >= 1
    assert all(reject.reason and reject.detail.isprintable() for reject in done.rejects)
    return [msgspec.json.decode(line.verdict) for line in done.lines]


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
def test_bytes_changed_at_random(sample: bytes, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(sample)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(data))
        if dice.random() < 0.5:
            data[place] = dice.randrange(256)
        else:
            del data[place : place + dice.randint(1, 40)]
    taken(bytes(data))


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value inside a measurement."""
    found = [so_far] if so_far else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*so_far, key))
    return found


def change(row: Any, path: tuple[Any, ...], put: Callable[[Any, Any], None]) -> bytes:
    inner = row
    for key in path[:-1]:
        inner = inner[key]
    put(inner, path[-1])
    return raw.encode(row)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False), values)
def test_any_value_replaced_by_any_other(sample: bytes, dice: random.Random, value: Any) -> None:
    row = msgspec.json.decode(sample)
    taken(change(row, dice.choice(paths(row)), lambda inner, key: inner.__setitem__(key, value)))


@pytest.mark.parametrize("part", ["queries", "tcp_connect", "tls_handshakes", "requests", "control"])
def test_taking_a_part_out_of_a_measurement_that_worked_never_makes_a_block(part: str) -> None:
    empties: tuple[Any, ...] = (None, [], {}, "", 7)
    for empty in empties:
        row = raw.measurement()
        row["test_keys"][part] = empty
        for verdict in taken(raw.encode(row)):
            assert verdict["state"] not in IMPAIRED, (part, empty, verdict["rule_id"])


@settings(deadline=None, max_examples=400)
@given(st.randoms(use_true_random=False))
def test_taking_anything_out_of_a_measurement_that_worked_never_makes_a_block(dice: random.Random) -> None:
    row = raw.measurement()
    data = change(row, dice.choice(paths(row)), lambda inner, key: inner.__delitem__(key))
    for verdict in taken(data):
        assert verdict["state"] not in IMPAIRED, verdict["rule_id"]


REAL = DATA / "ooni"
RUNS, EACH = 20, 5_000


def real() -> list[bytes]:
    """The field's own measurements of all tests and ages; the simulated ones where they are not at hand."""
    files = [*sorted((REAL / "qa").glob("*.json")), *sorted((REAL / "measurements").glob("*.json"))]
    return [path.read_bytes() for path in files] or SAMPLES


def mutated(dice: random.Random, row: Any, others: list[Any]) -> bytes:
    """One to four changes: a value taken out, put elsewhere, made odd, or bytes changed in what comes of it."""
    row = copy.deepcopy(row)
    for _ in range(dice.randint(1, 4)):
        places = paths(row)
        if not places:
            break
        *way, key = dice.choice(places)
        inner = row
        for step in way:
            inner = inner[step]
        kind = dice.random()
        if kind < 0.35:
            del inner[key]
        elif kind < 0.7:
            inner[key] = copy.deepcopy(dice.choice(ODD))  # a later change may reach inside it
        else:
            donor = dice.choice(others)
            inner[key] = copy.deepcopy(donor[dice.choice(sorted(donor))] if isinstance(donor, dict) and donor else None)
    data = bytearray(raw.encode(row))
    for _ in range(dice.choice((0, 0, 1, 3))):
        place = dice.randrange(len(data) or 1)
        data[place : place + dice.randint(0, 30)] = dice.randbytes(dice.randint(0, 3))
    return bytes(data)


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 10**30, 1e308, -0.0, "", "null", "\u0000", "\U0010ffff",
    "a" * 70_000, [], {}, [[]], [None], {"": None}, "127.0.0.1", "::1", "connection_reset", "generic_timeout_error",
    {"data": "=", "format": "base64"},
)  # fmt: skip


@pytest.mark.parametrize("run", range(RUNS))
def test_a_hundred_thousand_changed_measurements(run: int) -> None:
    """No exception escapes, every reject has its reason: `taken` checks both."""
    rows = [msgspec.json.decode(data) for data in real()]
    dice = random.Random(f"mutations/{run}")
    for number in range(EACH):
        taken(mutated(dice, rows[number % len(rows)], rows))


STEPS = ("queries", "tcp_connect", "tls_handshakes", "quic_handshakes", "requests")


def without_failures(row: Any) -> Any:
    """The measurement without the steps of the probe that failed: what spoke for a block is gone."""
    row = copy.deepcopy(row)
    for name in STEPS:
        steps = row["test_keys"].get(name)
        row["test_keys"][name] = [step for step in steps or [] if not _failed(step)]
    return row


def _failed(step: Any) -> bool:
    return bool(step.get("failure") or (step.get("status") or {}).get("failure"))


#: Rules that rest on an answer that came, not on a step that failed; each has its own evidence.
ANSWERS = {
    "dns.bogon", "dns.bogon.redirect", "dns.fingerprint", "dns.blockpage", "dns.wrong_answer", "dns.ghost",
    "http.blockpage", "http.denied",
}  # fmt: skip


@pytest.mark.parametrize("place", range(24))
def test_a_block_falls_with_the_steps_that_showed_it(place: int, data: Path) -> None:
    path = sorted((data / "ooni" / "qa").glob("*.json"))[place]
    row = msgspec.json.decode(path.read_bytes())
    for verdict in taken(raw.encode(without_failures(row))):
        assert verdict["state"] not in IMPAIRED or verdict["rule_id"] in ANSWERS, (path.name, verdict["rule_id"])
    row["test_keys"]["control"] = None
    for verdict in taken(raw.encode(row)):
        assert verdict["state"] not in IMPAIRED or verdict["rule_id"] in STANDS_ALONE, (path.name, verdict["rule_id"])


@pytest.mark.parametrize("place", range(24))
def test_no_one_thing_taken_out_of_a_real_measurement_makes_a_block(place: int, data: Path) -> None:
    path = sorted((data / "ooni" / "qa").glob("*.json"))[place]
    row = msgspec.json.decode(path.read_bytes())
    if taken(raw.encode(row))[0]["state"] in IMPAIRED:
        return
    for way in paths(row):
        for verdict in taken(change(copy.deepcopy(row), way, lambda inner, key: inner.__delitem__(key))):
            assert verdict["state"] not in IMPAIRED, (path.name, way, verdict["rule_id"])


STANDS_ALONE = ("dns.fingerprint", "http.blockpage", "dns.bogon", "dns.nxdomain.encrypted")


@pytest.mark.parametrize("sample", SAMPLES[1:], ids=range(len(SAMPLES) - 1))
def test_no_block_without_what_the_control_saw(sample: bytes) -> None:
    """What rests on the control falls with it; a block page or a second lookup of the probe's own may stand."""
    row = msgspec.json.decode(sample)
    row["test_keys"].update(control=None, control_failure="generic_timeout_error")
    for verdict in taken(raw.encode(row)):
        assert verdict["state"] not in IMPAIRED or verdict["rule_id"] in STANDS_ALONE, verdict["rule_id"]
