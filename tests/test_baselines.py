"""What reachable lines look like is learned from the months that no block touched."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.detect import Month, baselines
from kholo.detect.segments import LOW, Array


def learned(months: list[Month]) -> Array:
    return baselines(months).of("x", "PK", simulated=False)


def year(line: int, shares: list[float], reports: float = 90.0) -> list[Month]:
    """The months of one line, with the share of failures of each."""
    return [
        Month(False, "x", "PK", f"AS{line}", str(number // 6), reports, round(reports * share))
        for number, share in enumerate(shares)
    ]


@pytest.mark.parametrize("during", [0.25, 0.4, 0.9])
def test_a_block_in_one_month_of_every_line_teaches_nothing_of_reachable_lines(during: float) -> None:
    months = [month for line in range(30) for month in year(line, [0.02] * 5 + [during] + [0.02] * 6)]
    weights = learned(months)
    assert weights[LOW > 0.15].sum() < 0.01
    assert weights @ LOW == pytest.approx(0.02, abs=0.02)


def test_lines_that_always_fail_often_are_learned_as_such() -> None:
    months = [month for line in range(30) for month in year(line, [0.3] * 12)]
    assert learned(months)[LOW > 0.2].sum() > 0.5


def test_nothing_is_ever_impossible() -> None:
    weights = learned([month for line in range(200) for month in year(line, [0.0] * 12)])
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0).all()


shares = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(st.lists(shares, min_size=1, max_size=6), st.randoms())
def test_the_order_of_months_makes_no_difference(lines: list[list[float]], chance: random.Random) -> None:
    months = [month for line, theirs in enumerate(lines) for month in year(line, theirs)]
    weights = learned(months)
    chance.shuffle(months)
    assert np.array_equal(learned(months), weights)
