"""Case folders: every mistake found with its place and what would be right; and the shipped cases."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kholo.model import CaseError, Clock, ClockKind, Grade, Outcome
from kholo.record import assess, clocks, load_case
from kholo.reference import load_reference

CASES = Path(__file__).parents[1] / "cases"
SERVICES = load_reference().services.ids
AS_OF = datetime(2026, 11, 24, tzinfo=UTC)
ORDER = "entries/f14-shc-order-restore.toml"
DENIAL = "entries/f15-pta-officials-deny.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(CASES / "x-pakistan-2024", tmp_path / "case")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    for file, old, new in (
        (DENIAL, "summary =", "sumary ="),
        (ORDER, "due = 2024", "due = 2023"),
        ("case.toml", 'role = "press"', 'role = "pres"'),
    ):
        (folder / file).write_text((folder / file).read_text().replace(old, new, 1))
    with pytest.raises(CaseError) as caught:
        load_case(folder, SERVICES)
    assert {problem.file for problem in caught.value.problems} == {DENIAL, ORDER, "case.toml"}


def test_a_folder_that_is_no_case(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"case\.toml: is missing"):
        load_case(tmp_path, SERVICES)
    with pytest.raises(CaseError, match="is no folder"):
        load_case(tmp_path / "nothing", SERVICES)


def test_all_36_facts_are_entries() -> None:
    case = load_case(CASES / "x-pakistan-2024", SERVICES)
    assert {entry.id[:3] for entry in case.entries} == {f"f{number:02}" for number in range(1, 37)}
    assert all(entry.sources for entry in case.entries)


EXPECTED = {
    "f15": (
        Outcome.CONTRADICTED,
        Grade.C,
        "the denial of 26 February, in the second week of the block",
    ),
    "f16": (Outcome.CONTRADICTED, Grade.C, "the caretaker prime minister's opinion of 1 March"),
    "f17": (Outcome.CONTRADICTED, Grade.C, "the flat denial of 8 March"),
    "f19a": (Outcome.CONTRADICTED, Grade.C, "on every day on which it may have been said, X was found blocked"),
    "f22": (Outcome.CONTRADICTED, Grade.C, "the reply of 28 March that X is operational"),
    "f21": (Outcome.SUPPORTED, Grade.C, "the admission in court is what OONI found"),
    "f31": (Outcome.SUPPORTED, Grade.C, "the minister's words in the Senate are what OONI found"),
    "f36": (Outcome.UNDETERMINED, None, "no finding of 7 February: neither true nor false can be said"),
    "f13": (Outcome.UNDETERMINED, Grade.C, "a long finding does not exclude a brief return"),
    "f34": (Outcome.UNDETERMINED, None, "no measurement body speaks of 7 May 2025"),
    "f35": (Outcome.SUPPORTED, Grade.D, "press and users report the same day"),
}


@pytest.mark.parametrize("entry", EXPECTED)
def test_claims_of_the_pakistan_case_without_measurements(entry: str) -> None:
    case = load_case(CASES / "x-pakistan-2024", SERVICES)
    found = {item.entry_id: item for item in assess(case, (), (), AS_OF)}
    outcome, grade, reason = EXPECTED[entry]
    assert (found[entry].outcome, found[entry].grade) == (outcome, grade), reason
    assert "{" not in found[entry].because
    assert {item.grade for item in found.values()} <= {Grade.C, Grade.D, None}
    if grade is Grade.C and outcome is not Outcome.UNDETERMINED:
        assert "No raw measurements" in found[entry].because


def clock(kind: ClockKind, as_of: datetime = AS_OF) -> Clock:
    case = load_case(CASES / "x-pakistan-2024", SERVICES)
    (found,) = [item for item in clocks(case, (), (), as_of) if item.clock is kind]
    return found


def test_the_order_of_february_2024_was_met_after_439_days() -> None:
    found = clock(ClockKind.COMPLIANCE)
    assert (found.entry_id, found.started.date(), found.grade) == ("f14", date(2024, 2, 23), Grade.C)
    assert found.stopped is not None
    assert (found.stopped.date(), found.days) == (date(2025, 5, 7), 439)
    assert "f33" in found.because, "the brief restorations are named"


def test_a_clock_as_of_a_day_on_which_it_still_ran() -> None:
    found = clock(ClockKind.COMPLIANCE, datetime(2024, 3, 24, tzinfo=UTC))
    assert (found.stopped, found.days) == (None, 30)


def test_silence_lasted_from_the_block_to_the_first_public_reason() -> None:
    found = clock(ClockKind.SILENCE)
    assert found.stopped is not None
    assert (found.started.date(), found.stopped.date(), found.days) == (date(2024, 2, 17), date(2024, 3, 20), 32)
    early = clock(ClockKind.SILENCE, datetime(2024, 3, 1, tzinfo=UTC))
    assert (early.stopped, early.days) == (None, 13)
