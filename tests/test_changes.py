"""What changed in a case, and why."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kholo.model import DayState, Entry, EntryKind, Incident, Outcome, State
from kholo.record import assess, clocks
from kholo.record.changes import Change, Look, changes

from .commands import json_lines, kholo
from .test_assess import AS_OF, at, block, case, day, entry
from .test_cli import CASES
from .test_clocks import order, said

WORKED = entry("w", "pta", EntryKind.STATEMENT, State.OK, 10, 12)
FINDING = entry("f", "body", EntryKind.FINDING, State.BLOCKED, 5, 30)


def look(
    entries: list[Entry],
    hits: list[Incident] | None = None,
    days: list[DayState] | None = None,
    as_of: datetime = AS_OF,
) -> Look:
    found = case(entries)
    hits, days = hits or [], days or []
    known = {item.incident_id: item for item in hits}
    return Look(found, assess(found, hits, days, as_of), clocks(found, hits, days, as_of), known, as_of)


def one(found: tuple[Change, ...], what: str, name: str) -> Change:
    (row,) = [item for item in found if (item.what, item.entry_id, item.network) == (what, name, None)]
    return row


def test_nothing_changes_by_itself() -> None:
    assert changes(look([WORKED, FINDING], [block(5, 20)]), look([WORKED, FINDING], [block(5, 20)])) == ()


def test_evidence_that_came_or_went_is_named() -> None:
    hit = block(5, 20)
    came = one(changes(look([WORKED]), look([WORKED], [hit])), "assessment", "w")
    assert (came.change, came.gained, came.lost) == ("changed", (hit.incident_id,), ())
    assert came.before and came.after
    assert (came.before["outcome"], came.after["outcome"]) == (Outcome.UNDETERMINED, Outcome.CONTRADICTED)
    assert came.why[0] == f"The incident {hit.incident_id} was found."
    went = one(changes(look([WORKED], [hit]), look([WORKED])), "assessment", "w")
    assert (went.lost, went.why[0]) == ((hit.incident_id,), f"The incident {hit.incident_id} is not found any more.")
    clock = one(changes(look([order(10)]), look([order(10)], [hit])), "clock", "o")
    assert (clock.change, clock.why) == ("came", (f"The incident {hit.incident_id} was found.",))
    longer = msgspec.structs.replace(hit, reports=90)
    order_ = order(10)
    clock = one(changes(look([order_], [block(5, 20)]), look([order_], [block(5, 25)])), "clock", "o")
    assert clock.before and clock.after
    assert (clock.before["days"], clock.after["days"]) == (10, 15)
    assert changes(look([WORKED], [hit]), look([WORKED], [longer])) == (), "more reports that change no outcome"
    days = one(changes(look([WORKED]), look([WORKED], [], [day(10, State.OK), day(11, State.OK)])), "assessment", "w")
    assert days.why == ("Results in its time: 0 → 10; networks: 0 → 1.",)


def test_an_entry_that_was_edited_added_or_taken_out_is_named() -> None:
    added = changes(look([WORKED]), look([WORKED, FINDING]))
    assert one(added, "assessment", "w").why == ("The entry f is new.",)
    new = one(added, "assessment", "f")
    assert (new.change, new.why) == ("came", ("The entry f is new.",))
    assert FINDING.proposition
    shorter = msgspec.structs.replace(FINDING.proposition, end=at(10))
    edited = changes(look([WORKED, FINDING]), look([WORKED, msgspec.structs.replace(FINDING, proposition=shorter)]))
    assert one(edited, "assessment", "w").why == ("The entry f was edited: proposition.",)
    gone = one(changes(look([WORKED, FINDING]), look([FINDING])), "assessment", "w")
    assert (gone.change, gone.why) == ("went", ("The entry w is gone.",))
    noted = msgspec.structs.replace(FINDING, notes="Read again.")
    assert changes(look([WORKED, FINDING]), look([WORKED, noted])) == (), "a note changes nothing"
    stay = said("s", EntryKind.STAY, 12, stays=("o",))
    stayed = changes(look([order(10)], [block(5, 20)]), look([order(10), stay], [block(5, 20)]))
    assert one(stayed, "clock", "o").why == ("Other entries changed: s.",)


def test_time_that_went_by_is_named() -> None:
    found = changes(look([WORKED, FINDING], as_of=at(8)), look([WORKED, FINDING], as_of=at(20)))
    said_ = one(found, "assessment", "w")
    assert (said_.change, said_.why[0]) == ("came", "The entry w is of 2024-02-11, after the moment before.")
    assert "Seen as of 2024-02-21, and before as of 2024-02-09." in said_.why


def rows(*arguments: str | Path) -> list[dict[str, Any]]:
    return json_lines("case", "diff", *arguments)


def test_the_command_compares_moments_folders_and_stores(tmp_path: Path) -> None:
    by_time = rows(CASES[0], "--from", "2024-03-18", "--as-of", "2024-03-22")
    silence = next(row for row in by_time if row["clock"] == "silence")
    assert (silence["before"]["stopped"], silence["after"]["days"]) == (None, 32)
    assert rows(CASES[0], "--from", "2024-03-18", "--as-of", "2024-03-22") == by_time
    old = shutil.copytree(CASES[0], tmp_path / "old")
    file = old / "entries" / "f11-ooni-incident.toml"
    file.write_text(file.read_text().replace("to = 2025-05-07", "to = 2024-03-01"))
    edited = rows(CASES[0], "--before", old, "--as-of", "2026-01-01")
    denial = next(row for row in edited if row["entry_id"] == "f17")
    assert denial["why"] == ["The entry f11 was edited: proposition."]
    assert (denial["before"]["outcome"], denial["after"]["outcome"]) == ("undetermined", "contradicted")
    shown = kholo("case", "diff", CASES[0], "--before", old, "--as-of", "2026-01-01").stdout.decode()
    assert "assessment f17: changed\n  outcome: undetermined → contradicted" in shown
    for name, scenario in (("a", "demo"), ("b", "quiet")):
        assert kholo("simulate", scenario, "--out", tmp_path / f"{name}.jsonl.gz").returncode == 0
        assert kholo("ingest", tmp_path / f"{name}.jsonl.gz", "--store", tmp_path / name).returncode == 0
    by_store = rows(CASES[1], "--store", tmp_path / "a", "--against", tmp_path / "b", "--as-of", "2026-01-01")
    admission = next(row for row in by_store if row["entry_id"] == "z5")
    assert admission["after"]["outcome"] == "supported"
    assert any("was found" in reason for reason in admission["why"])
    assert {row["simulated"] for row in by_store} == {True}


def test_there_must_be_something_to_compare_with(tmp_path: Path) -> None:
    assert kholo("case", "diff", CASES[0]).returncode == 2
    assert kholo("case", "diff", CASES[0], "--from", "2026-01-01", "--as-of", "2025-01-01").returncode == 2
    assert kholo("case", "diff", CASES[0], "--before", CASES[1]).returncode == 2
    assert kholo("case", "diff", CASES[0], "--before", tmp_path / "nothing").returncode == 2


def test_the_checklist_and_the_law_can_be_asked_for() -> None:
    answers = json_lines("case", "test", CASES[0])
    assert {row["part"] for row in answers} >= {"legality", "legitimate aim", "necessity and proportionality"}
    assert kholo("case", "test", CASES[0], "--incident", "none").returncode == 2
    law = json_lines("case", "law", "PK")
    assert {("pk-constitution", "art. 19A"), ("pk-peca-2016", "s. 37"), ("pk-telecom-1996", "s. 54")} <= {
        (row["statute"], row["section"]) for row in law
    }
    assert kholo("case", "law", "XX").returncode == 2
