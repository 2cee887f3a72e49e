"""The segmental model: exact on small series, honest on long ones, the same side by side and alone."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.detect.segments import BASELINE, FREE, LABELS, Array, Chain, Posterior, emissions, priors, start
from kholo.detect.series import Series
from kholo.detect.settings import Settings
from kholo.detect.stretches import Memory, _gate, _lines, _near, _packed, _screened, digest, posteriors, stretches
from kholo.simulate.series import KINDS, SeriesYear, World, series_year

from . import partition

ROOT = Path(__file__).parents[1]
#: Hazards so high that many paths matter on a short series.
LIVELY = Settings(blocks_per_day=0.2, block_ends_per_day=0.3, faults_per_day=0.3, hourly_per_day=0.1, turns_per_day=0.2)


def counted(year: SeriesYear) -> Series:
    """The reports of a simulated year by the hour."""
    _, begins, sizes = np.unique(np.floor(year.at * 24), return_index=True, return_counts=True)
    failed = np.add.reduceat(year.failed, begins)
    return Series(year.at[begins], year.at[begins + sizes - 1], sizes.astype(np.float64), failed)


def posterior(one: Series, chosen: Settings) -> Posterior:
    (found,) = posteriors([one], [BASELINE], chosen)
    return found


def line(at: list[float], failed: list[int]) -> Series:
    times = np.array(at)
    return Series(times, times, np.ones(len(at)), np.array(failed, dtype=np.float64))


def by_enumeration(one: Series, chosen: Settings) -> tuple[Array, float]:
    """P(in a block) of each cell, and P(never in one), by summing over every path of states with its full matrix."""
    chain, prior = Chain(chosen), priors(BASELINE)
    sizes = [12, 12, 6, 6, 12, 6, 8]
    label = np.repeat(np.arange(LABELS), sizes)
    seen = np.exp(emissions(one.n, one.k, chosen))
    low, high, sure = np.arange(12), np.arange(12, 24), np.arange(18, 24)
    rates = np.concatenate([low, high, sure, sure, high, sure, np.arange(8)])
    total, blocked, free = 0.0, np.zeros(len(one)), 0.0
    matrices = []
    for days in one.days[1:]:
        jump, stay = chain.jump(np.array(days)), chain.stay(np.array(days))
        matrix = jump[np.ix_(label, label)] * prior[None, :]
        matrices.append(matrix + np.diag(stay[label]))
    for labels in itertools.product(range(LABELS), repeat=len(one)):
        state = start(chosen)[label] * prior * (label == labels[0]) * seen[rates, 0]
        for cell in range(1, len(one)):
            state = (state @ matrices[cell - 1]) * (label == labels[cell]) * seen[rates, cell]
        weight = float(state.sum())
        total += weight
        blocked += weight * (np.array(labels) >= FREE)
        free += weight * all(one < FREE for one in labels)
    return blocked / total, free / total


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 3.0), st.integers(0, 1)), min_size=2, max_size=4),
)
def test_recursions_are_exact(results: list[tuple[float, int]]) -> None:
    one = line(list(np.cumsum([days for days, _ in results])), [failed for _, failed in results])
    known, (blocked, free) = posterior(one, LIVELY), by_enumeration(one, LIVELY)
    assert known.blocked == pytest.approx(blocked, abs=1e-9)
    # Between cells a path may visit a block unseen, which the enumeration of cells can't tell apart.
    assert known.free(0, len(one) - 1) <= free + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 5.0), st.integers(0, 1)), min_size=2, max_size=40), st.data())
def test_chances_of_each_gap_add_up(results: list[tuple[float, int]], data: st.DataObject) -> None:
    one = line(list(np.cumsum([days for days, _ in results])), [failed for _, failed in results])
    known = posterior(one, LIVELY)
    anchor = data.draw(st.integers(0, len(one) - 1))
    before, begins = known.onset(anchor)
    lasts, ends = known.end(anchor)
    assert before + begins.sum() == pytest.approx(known.blocked[anchor], abs=1e-7)
    assert lasts + ends.sum() == pytest.approx(known.blocked[anchor], abs=1e-7)


def test_a_chain_moves_nothing_in_no_time_and_reaches_its_balance() -> None:
    chain = Chain(Settings())
    none, ever = chain.jump(np.array(0.0)), chain.jump(np.array(1e6))
    assert none == pytest.approx(np.zeros((LABELS, LABELS)), abs=1e-12)
    assert ever == pytest.approx(np.tile(start(Settings()), (LABELS, 1)), abs=1e-9)


def test_series_side_by_side_are_as_alone() -> None:
    years = [counted(series_year(World(), 3, number, eventful=True)) for number in range(20)]
    together = stretches(years, Settings())
    assert together == [stretches([year], Settings())[0] for year in years]
    assert list(reversed(stretches(list(reversed(years)), Settings()))) == together
    assert any(together)


def test_workers_and_what_is_remembered_change_nothing() -> None:
    years = [counted(series_year(World(per_day=0.7), 4, number, eventful=number % 4 == 0)) for number in range(2_100)]
    memory: Memory = {}
    alone = stretches(years[:900], Settings(), memory=memory)
    assert stretches(years, Settings(), workers=2)[:900] == alone
    assert stretches(years, Settings(), memory=memory) == stretches(years, Settings())
    assert len(memory) == len(years)
    assert any(alone)


def test_only_what_changed_is_computed_again() -> None:
    years = [counted(series_year(World(), 6, number, eventful=True)) for number in range(6)]
    memory: Memory = {}
    place = [bool(found) for found in stretches(years, Settings(), memory=memory)].index(True)
    before = set(memory)
    one = years[place]
    first, last = np.append(one.first, 366.0), np.append(one.last, 366.0)
    years[place] = Series(first, last, np.append(one.n, 1.0), np.append(one.k, 0.0))
    stretches(years, Settings(), memory=memory)
    assert len(set(memory) - before) == 1
    for key in before:
        memory[key] = []
    again = stretches(years, Settings(), memory=memory)
    assert [number for number, found in enumerate(again) if found] == [place]


@pytest.mark.parametrize("change", ["n", "k", "first", "last", "baseline", "settings"])
def test_a_digest_tells_all_apart_that_a_stretch_follows_from(change: str) -> None:
    parts = {name: np.array([1.0, 2.0, 3.0]) for name in ("first", "last", "n", "k")}
    base, settings = BASELINE, Settings()
    whole = digest(Series(parts["first"], parts["last"], parts["n"], parts["k"]), base, settings)
    if change == "settings":
        settings = Settings(tail=0.04)
    elif change == "baseline":
        base = np.roll(BASELINE, 1)
    else:
        parts[change] = np.array([1.0, 2.0, 3.5])
    assert digest(Series(parts["first"], parts["last"], parts["n"], parts["k"]), base, settings) != whole


def test_the_quick_look_loses_nothing_that_the_gate_lets_through() -> None:
    years = [counted(series_year(World(), 5, number, eventful=True)) for number in range(150)]
    quick = _screened(_packed(years, [year.runs() for year in years], [BASELINE] * len(years)), Settings())
    for year, rise in zip(years, quick, strict=True):
        (exact,) = _lines(_packed([year], [np.arange(len(year))], [BASELINE]), Settings()).screen()
        assert rise > _near(Settings()) or math.expm1(exact) < _gate(Settings())


@pytest.mark.parametrize("broken_hours", [3, 8, 16])
def test_one_broken_probe_is_no_block(broken_hours: int) -> None:
    """It reports under new ids every half hour, twenty times as often as all others together."""
    quiet = np.arange(0, 60, 0.4)
    broken = 30 + np.arange(0, broken_hours / 24, 1 / 48)
    at = np.sort(np.concatenate([quiet, broken]))
    assert stretches([line(list(at), [int(day in broken) for day in at])], Settings()) == [[]]


def test_one_broken_probe_and_a_failure_beside_it_are_no_block() -> None:
    """Nobody else measured in between, so that it might have been so for a week."""
    at = np.concatenate([np.arange(0, 100, 2.0), [101.0, 103.0], 105 + np.arange(12) / 24, np.arange(107, 200, 2.0)])
    failed = [int(100 < day < 106 and day != 101.0) for day in at]
    lax = 1 / 20
    assert stretches([line(list(at), failed)], Settings(false_per_year=lax)) == [[]]
    assert stretches([line(list(at), failed)], Settings(false_per_year=lax, fault_hours=0.0)) != [[]]


def test_simulated_years_are_dated_honestly() -> None:
    """A small sample of what `make detector-report` measures; bounds that chance leaves alone."""
    many = 240
    years = [series_year(World(per_day=6), 11, number, eventful=True) for number in range(many)]
    found = stretches([counted(year) for year in years], Settings())
    dated = held = ended = end_held = 0
    for year, spells in zip(years, found, strict=True):
        assert year.truth is not None
        hit = [
            one for one in spells if one.onset[0] <= year.truth.end and (one.end or one.onset)[1] >= year.truth.onset
        ]
        if hit and year.truth.kind != "spread":
            dated += 1
            held += hit[0].onset[0] <= year.truth.onset <= hit[0].onset[1]
            if hit[-1].end:
                ended += 1
                end_held += hit[-1].end[0] <= year.truth.end <= hit[-1].end[1]
    assert dated > many / 3
    assert held >= 0.9 * dated
    assert end_held >= 0.9 * ended
    quiet = stretches([counted(series_year(World(), 11, number, eventful=False)) for number in range(many)], Settings())
    assert sum(map(bool, quiet)) <= 2


def by_partitions(failed: list[int]) -> list[float]:
    """The chance of a change in each gap, by summing over every partition."""
    chances, total = [0.0] * (len(failed) - 1), 0.0
    for cuts in itertools.product((0, 1), repeat=len(failed) - 1):
        weight, begin = 1.0, 0
        for until in [*(place + 1 for place, cut in enumerate(cuts) if cut), len(failed)]:
            n, k = until - begin, sum(failed[begin:until])
            weight *= math.exp(math.lgamma(k + 1) + math.lgamma(n - k + 1) - math.lgamma(n + 2))
            begin = until
        weight *= partition.CHANGE ** sum(cuts) * (1 - partition.CHANGE) ** (len(cuts) - sum(cuts))
        total += weight
        chances = [chance + weight * cut for chance, cut in zip(chances, cuts, strict=True)]
    return [chance / total for chance in chances]


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), min_size=2, max_size=8))
def test_the_second_method_weighs_every_partition(failed: list[int]) -> None:
    assert partition.change_chances(failed) == pytest.approx(by_partitions(failed), abs=1e-9)


def test_a_second_method_that_shares_nothing_dates_the_same() -> None:
    """Inside the bracket of an onset the second method, too, has most of its chance of a change."""
    agreed = compared = 0
    for number in [number for number in range(120) if KINDS[number % len(KINDS)] in ("complete", "late")]:
        year = series_year(World(per_day=4, bursts=0, broken=0), 17, number, eventful=True)
        assert year.truth is not None
        near = (year.at > year.truth.onset - 25) & (year.at < year.truth.onset + 25)
        at, failed = year.at[near], year.failed[near].astype(int).tolist()
        for stretch in stretches([line(list(at), failed)], Settings())[0]:
            begin, end = stretch.onset
            gaps = [gap for gap in range(len(at) - 1) if begin <= at[gap] and at[gap + 1] <= end]
            chances = partition.change_chances(failed)
            compared += 1
            agreed += sum(chances[gap] for gap in gaps) > 0.5
    assert compared >= 20
    assert agreed >= 0.9 * compared


def test_the_example_in_the_docs_is_true() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "detector.md").read_text(), re.DOTALL)
    exec(compile(code, "docs/detector.md", "exec"), {})
