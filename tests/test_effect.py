"""The effect on people: ranges that hold, numbers only with sources, and what is missing said by name."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.model import Bracket, Case, CaseError, EffectInput, EntryKind, Estimate, Grade, Incident, Range, State
from kholo.publish.effects import number_words, significant
from kholo.record import effect, load_effect, with_changes

from . import material

AS_OF = datetime(2025, 6, 1, tzinfo=UTC)
SOURCE = '[[{0}.source]]\naddress = "https://example.org/a"\npublisher = "P"\nread = 2025-05-01\n'
CASE = material.case(material.record())


def given_input(name: str, low: float, central: float, high: float, unit: str = "share") -> EffectInput:
    return EffectInput(name, Range(low, central, high), unit, 2024, "As published.", (material.source(),))


INPUTS = (
    given_input("users", 100, 200, 400),
    given_input("use", 0.24, 0.48, 2.4),
    given_input("gdp", 8760e6, 8760e6, 2 * 8760e6, "USD per year"),
    given_input("digital_share", 0.1, 0.1, 0.2),
    given_input("service_share", 0.01, 0.02, 0.03),
)
SHARES = tuple(given_input(name, 0.1, 0.2, 0.4) for name in material.NETWORKS)


def incident(hours_low: float = 10, hours_high: float = 20) -> Incident:
    """A block on three networks, known to have lasted from low to high hours."""
    onset = Bracket(material.ONSET, material.ONSET)
    end = Bracket(material.ONSET + timedelta(hours=hours_low), material.ONSET + timedelta(hours=hours_high))
    row = material.incident(end=end)
    spells = tuple(
        msgspec.structs.replace(spell, onset=onset, end=end, last_seen=material.ONSET) for spell in row.spells
    )
    return msgspec.structs.replace(row, onset=onset, end=end, last_seen=material.ONSET, spells=spells)


def made(
    case: Case = CASE, inputs: tuple[EffectInput, ...] = INPUTS + SHARES, *incidents: Incident
) -> dict[str, Estimate]:
    return {item.measure: item for item in effect(case, inputs, incidents or (incident(),), AS_OF).estimates}


def close(value: Range | None) -> tuple[float, ...]:
    assert value is not None
    return tuple(round(end, 6) for end in msgspec.structs.astuple(value))


def test_the_arithmetic_is_that_of_the_method() -> None:
    found = made()
    assert close(found["blocked_hours"].range) == (10, 15, 20)
    # Three networks with 0.1, 0.2 and 0.4 of the users each; more than all users are never counted.
    assert close(found["users_affected"].range) == (30, 120, 400)
    # Users x weighed hours x use / 24; at the high end the shares add up to 1.2, and the hours are no more than 20.
    assert close(found["hours_lost"].range) == (100 * 3 * 0.01, 200 * 9 * 0.02, 400 * 20 * 0.1)
    # A million of GDP an hour.
    assert close(found["cost"].range) == (1e6 * 0.1 * 0.01 * 3, 1e6 * 0.1 * 0.02 * 9, 2e6 * 0.2 * 0.03 * 20)
    assert found["cost"].unit == "USD"
    assert found["cost"].evidence == ("chirp-pk-20250310",)
    assert found["cost"].grade is Grade.A


@pytest.mark.parametrize("name", ["users", "use", "gdp", "digital_share", "service_share", material.NETWORKS[1]])
def test_without_an_input_there_is_no_number_and_its_name_is_said(name: str) -> None:
    found = made(CASE, tuple(item for item in INPUTS + SHARES if item.name != name))
    hit = {measure for measure, item in found.items() if name in item.missing}
    assert hit
    assert all(found[measure].range is None for measure in hit)
    assert all(item.range is not None for measure, item in found.items() if measure not in hit)


def test_without_evidence_nothing_is_estimated() -> None:
    bare = msgspec.structs.replace(CASE, entries=())
    found = effect(bare, INPUTS, (), AS_OF)
    assert all(item.range is None and "evidence" in item.missing for item in found.estimates)


def test_findings_count_where_nothing_was_measured_and_brief_returns_make_the_low_end() -> None:
    def finding(name: str, state: State, first: int, last: int, actor: str = "observatory") -> object:
        claim = material.claim(state, material.utc(2025, 3, first), material.utc(2025, 3, last))
        return material.entry(name, EntryKind.FINDING, date(2025, 3, first), actor=actor, proposition=claim)

    entries = (finding("a", State.BLOCKED, 1, 11), finding("b", State.OK, 3, 4, "press"))
    case = msgspec.structs.replace(CASE, entries=entries)
    found = {item.measure: item for item in effect(case, INPUTS, (), AS_OF).estimates}
    assert close(found["blocked_hours"].range) == (216, 228, 240)
    assert found["blocked_hours"].evidence == ("a", "b")
    assert found["blocked_hours"].grade is Grade.C
    # A finding across the place needs no shares of networks.
    assert close(found["users_affected"].range) == (100, 200, 400)


def test_throttling_and_dark_networks_add_no_hours() -> None:
    row = incident()
    spells = tuple(msgspec.structs.replace(spell, state=State.THROTTLED) for spell in row.spells)
    assert made(CASE, INPUTS + SHARES, msgspec.structs.replace(row, spells=spells))["blocked_hours"].evidence == (
        "2025-03-22-finding",
    )
    dark = tuple(msgspec.structs.replace(spell, is_dark=True) for spell in row.spells[:2])
    found = made(CASE, INPUTS + SHARES, msgspec.structs.replace(row, spells=(*dark, row.spells[2])))
    assert close(found["users_affected"].range) == (10, 40, 160)


_ENDS = st.tuples(*[st.floats(0, 1, allow_subnormal=False)] * 3).map(sorted)


@given(st.lists(_ENDS, min_size=8, max_size=8), st.tuples(st.integers(0, 500), st.integers(0, 500)).map(sorted))
def test_ranges_stay_in_order_and_within_all_users(ends: list[list[float]], hours: list[int]) -> None:
    names = ["users", "use", "gdp", "digital_share", "service_share", *material.NETWORKS]
    inputs = tuple(given_input(name, three[0], three[1], three[2]) for name, three in zip(names, ends, strict=True))
    found = made(CASE, inputs, incident(*hours))
    for item in found.values():
        assert item.range is not None
        assert 0 <= item.range.low <= item.range.central <= item.range.high
    users = found["users_affected"].range
    assert users is not None
    assert users.high <= inputs[0].range.high
    assert users.low <= inputs[0].range.low


@given(st.lists(_ENDS, min_size=5, max_size=5), st.integers(0, 4), st.floats(0, 1))
def test_a_wider_input_never_narrows_an_estimate(ends: list[list[float]], which: int, more: float) -> None:
    names = ["users", "use", "gdp", "digital_share", "service_share"]
    inputs = [given_input(name, three[0], three[1], three[2]) for name, three in zip(names, ends, strict=True)]
    before = made(CASE, (*inputs, *SHARES))
    old = inputs[which].range
    inputs[which] = given_input(names[which], old.low * more, old.central, old.high + more)
    after = made(CASE, (*inputs, *SHARES))
    for measure, item in before.items():
        now = after[measure].range
        assert item.range is not None
        assert now is not None
        assert now.low <= item.range.low
        assert now.high >= item.range.high


def test_changes_by_hand_are_marked_and_need_a_source() -> None:
    changed = with_changes(INPUTS, {"users.high": 500.0})
    (users,) = [item for item in changed if item.name == "users"]
    assert users.range.high == 500
    assert users.changed == ("high",)
    assert "changed" in effect(CASE, changed, (incident(),), AS_OF).unknown
    for path, value, said in (
        ("population.low", 1.0, "without a source"),
        ("users.middle", 1.0, "low, central or high"),
        ("users.high", 1.0, "in this order"),
        ("digital_share.high", 1.5, "not possible"),
        ("use.low", -1.0, "not possible"),
    ):
        with pytest.raises(Exception, match=said):
            with_changes(INPUTS, {path: value})


def write(folder: Path, text: str) -> Path:
    (folder / "effect.toml").write_text(text)
    return folder


GOOD = '[users]\nlow = 1\ncentral = 2\nhigh = 3.5\nyear = 2024\nsays = "S"\n' + SOURCE.format("users")


def test_the_file_is_read_and_its_mistakes_are_placed(tmp_path: Path) -> None:
    (read,) = load_effect(write(tmp_path, GOOD))
    assert (read.name, read.unit, read.range.high, read.sources[0].publisher) == ("users", "people", 3.5, "P")
    assert load_effect(tmp_path / "nowhere") == ()
    for text, key, said in (
        (GOOD.replace("low = 1", "low = 9"), "users.central", "in this order"),
        (GOOD.replace("low = 1", "low = inf"), "users.low", "numbers from 0"),
        (GOOD.replace("low = 1", "low = nan"), "users.low", "numbers from 0"),
        (GOOD.replace("low = 1", "low = -1"), "users.low", "numbers from 0"),
        (GOOD.replace("low = 1", 'low = "1"'), "users.low", "must be a number"),
        (GOOD.replace("low = 1", "low = true"), "users.low", "must be a number"),
        (GOOD.replace("2024", "2024.5"), "users.year", "a year"),
        (GOOD.replace("[users]", "[user]").replace("users.source", "user.source"), "user", "did you mean 'users'"),
        (GOOD.partition("[[")[0], "users.source", "is missing"),
        (GOOD.replace("users", "digital_share"), "digital_share.high", "at most 1"),
        (GOOD.replace("users", "gdp"), "gdp.currency", "is missing"),
        (
            GOOD.replace("[users]", '[[network]]\nnetwork = "17557"').replace("users.source", "network.source"),
            "network.0.network",
            "is no network",
        ),
    ):
        with pytest.raises(CaseError) as caught:
            load_effect(write(tmp_path, text))
        assert any(problem.key == key and said in problem.message for problem in caught.value.problems), (text, caught)


def test_case_check_reads_it_too(tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree("cases/zz-simulated", case)
    assert CliRunner().invoke(cli, ["case", "check", str(case)]).exit_code == 0
    write(case, GOOD.replace("low = 1", "low = 9"))
    found = CliRunner().invoke(cli, ["case", "check", str(case), "--json"])
    assert found.exit_code == 2
    assert json.loads(found.output)["key"] == "users.central"
    (case / "effect.toml").unlink()
    (case / "effect.toml").symlink_to("/etc/hostname")
    assert CliRunner().invoke(cli, ["case", "check", str(case)]).exit_code == 2


@given(st.floats(1e-6, 1e15))
def test_rounding_keeps_two_digits(value: float) -> None:
    assert abs(significant(value) - value) <= 0.0501 * value
    assert number_words(value)


def test_the_command_and_the_page_say_what_is_missing(tmp_path: Path) -> None:
    found = CliRunner().invoke(cli, ["case", "effect", "cases/x-pakistan-2024", "--as-of", "2025-06-01", "--json"])
    assert found.exit_code == 0, found.output
    rows = {row["measure"]: row for row in map(json.loads, found.output.splitlines())}
    assert rows["users_affected"]["range"] is None
    assert rows["users_affected"]["missing"] == ["users"]
    assert rows["blocked_hours"]["range"]["low"] < rows["blocked_hours"]["range"]["high"]
    CliRunner().invoke(cli, ["build", "cases/x-pakistan-2024", "--as-of", "2025-06-01", "--out", str(tmp_path)])
    page = (tmp_path / "en/cases/x-pakistan-2024/index.html").read_text()
    assert "Not estimated. Missing: users of the service before the block." in page
    data = json.loads((tmp_path / "data/x-pakistan-2024/data.json").read_text())
    assert [row["measure"] for row in data["effect"]["estimates"] if row["range"]] == ["blocked_hours"]
