"""The database: the same numbers as everywhere, the same bytes each time, and nothing that points at a person."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.detect.rates import Side
from kholo.detect.throughput import RatePoint
from kholo.model import Clock, ClockKind
from kholo.publish import CaseView
from kholo.publish.data import case_data
from kholo.publish.exports.sqlite import write_sqlite
from kholo.publish.rows import CasePage, case_page

from . import dossiers
from .commands import json_lines, kholo
from .material import full_view
from .test_exports import hostile

ADDRESS = "66.253.196.21"
DATASETTE = Path(sys.executable).with_name("datasette")


def verdicts(page: CasePage) -> Iterable[dict[str, Any]]:
    return (msgspec.structs.asdict(row) for rows in page.view.proofs.values() for row in rows)


def made(folder: Path, *views: CaseView) -> sqlite3.Connection:
    write_sqlite([case_page(view) for view in views], verdicts, folder / "kholo.sqlite")
    db = sqlite3.connect(folder / "kholo.sqlite")
    db.row_factory = sqlite3.Row
    return db


def names(db: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'entries_fts%' ORDER BY name"
    return [row["name"] for row in db.execute(query)]


def test_the_tables_hold_what_data_json_holds(tmp_path: Path) -> None:
    side = Side(3, 120.0, 1)
    speeds = (RatePoint("AS64500", date(2025, 3, 12), 1, side, Side(0, None), simulated=False),)
    view = msgspec.structs.replace(full_view(), speeds=speeds)
    said = json.loads(case_data(case_page(view)))
    db = made(tmp_path, view)
    for table in ("incidents", "assessments", "clocks", "days"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == len(said[table]) > 0
    row = db.execute("SELECT * FROM cases").fetchone()
    for name in ("title", "service", "place", "as_of", "measurements", "rejects"):
        assert row[name] == said[name]
    assert row["answer"] == said["answer"]["sentence"]
    incident = db.execute("SELECT * FROM incidents").fetchone()
    assert incident["onset_latest"] == said["incidents"][0]["onset"]["latest"]
    assert json.loads(incident["networks"]) == said["incidents"][0]["networks"]
    for table in ("speeds", "networks"):
        rows = [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
        assert [_as_json(row, said[table][0]) for row in rows] == said[table] != []
    totals = db.execute("SELECT sum(ok), sum(blocked) FROM days").fetchone()
    assert list(totals) == [sum(day[name] for day in said["days"]) for name in ("ok", "blocked")]


def _as_json(row: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON has it: yes and no, and no id of the case."""
    return {key: bool(row[key]) if isinstance(value, bool) else row[key] for key, value in like.items()}


def test_keys_lead_somewhere_and_text_is_found(tmp_path: Path) -> None:
    db = made(tmp_path, full_view(), full_view(case_id="fake", simulated=True))
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert {row["from"] for row in db.execute("PRAGMA foreign_key_list(assessments)")} == {"case_id", "entry_id"}
    word = db.execute("SELECT title FROM entries ORDER BY id").fetchone()["title"].split()[-1]
    query = "SELECT count(*) FROM entries WHERE rowid IN (SELECT rowid FROM entries_fts WHERE entries_fts MATCH ?)"
    assert db.execute(query, [f'"{word}"']).fetchone()[0] > 0
    assert (
        db.execute("EXPLAIN QUERY PLAN SELECT * FROM days WHERE day = '2025-03-10'")
        .fetchone()["detail"]
        .startswith("SEARCH days USING INDEX")
    )


def test_a_clock_of_an_incident_is_there_like_one_of_an_entry(tmp_path: Path) -> None:
    view = full_view()
    silence = Clock(ClockKind.SILENCE, view.incidents[0].incident_id, view.as_of, None, 3, "nobody spoke of it")
    db = made(tmp_path, msgspec.structs.replace(view, clocks=(*view.clocks, silence)))
    found = {row["entry_id"] for row in db.execute("SELECT entry_id FROM clocks")}
    assert found == {silence.entry_id, *(clock.entry_id for clock in view.clocks)}


def test_every_row_says_whether_it_is_invented(tmp_path: Path) -> None:
    db = made(tmp_path, full_view(), full_view(case_id="fake", simulated=True))
    assert {"cases", "days", "entries", "incidents", "signals", "verdicts"} <= set(names(db))
    for name in names(db):
        found = {tuple(row) for row in db.execute(f"SELECT DISTINCT case_id, simulated FROM {name}")}
        assert found <= {("chirp-test", 0), ("fake", 1)}, name


def test_the_same_cases_in_any_order_give_the_same_bytes_and_are_not_written_again(tmp_path: Path) -> None:
    views = (full_view(), full_view(case_id="fake", simulated=True))
    made(tmp_path / "a", *views)
    made(tmp_path / "b", *reversed(views))
    file = tmp_path / "a" / "kholo.sqlite"
    assert file.read_bytes() == (tmp_path / "b" / "kholo.sqlite").read_bytes()
    before = file.stat()
    made(tmp_path / "a", *views)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["kholo.metadata.json", "kholo.sqlite"]


def test_text_from_outside_is_stored_and_never_run(tmp_path: Path) -> None:
    db = made(tmp_path, hostile())
    text = "\n".join(str(value) for name in names(db) for row in db.execute(f"SELECT * FROM {name}") for value in row)
    for char in "\u202e\u0007\x00\u2028\r":
        assert char not in text
    assert "alert(" in text


def test_metadata_describes_every_table_and_only_columns_that_are_there(tmp_path: Path) -> None:
    db = made(tmp_path, full_view())
    said = json.loads((tmp_path / "kholo.metadata.json").read_bytes())
    assert said["license"] == "CC BY 4.0"
    tables = said["databases"]["kholo"]["tables"]
    assert sorted(tables) == names(db)
    for name, about in tables.items():
        columns = {row["name"] for row in db.execute(f"PRAGMA table_info({name})")}
        assert about["description"]
        assert {*about["columns"], *about["units"]} <= columns


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case, a store with an address and a city in its measurements, and the database of both."""
    folder = tmp_path_factory.mktemp("sqlite")
    dossiers.case_folder(folder / "case")
    dossiers.stored(folder, dossiers.measured(12, probe_ip=ADDRESS, probe_city="Dera Ghazi Khan"))
    done = kholo(
        "export", folder / "case", "--store", folder / "store", "--format", "sqlite", "--out", folder / "kholo.sqlite"
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_verdicts_are_those_of_the_command_line(exported: Path) -> None:
    told = json_lines("verdicts", "--store", exported / "store", "--service", "x", "--place", "PK")
    db = sqlite3.connect(exported / "kholo.sqlite")
    db.row_factory = sqlite3.Row
    rows = [dict(row) for row in db.execute("SELECT * FROM verdicts ORDER BY measured_at, measurement_uid")]
    assert len(rows) == len(told) == 12
    for row, verdict in zip(rows, told, strict=True):
        for name in ("measurement_uid", "measured_at", "network", "state", "rule_id", "ruleset", "grade"):
            assert row[name] == verdict[name]
        assert bool(row["simulated"]) is verdict["simulated"]
    assert db.execute("SELECT measurements FROM cases").fetchone()[0] == 12


def test_no_address_and_no_place_of_a_volunteer_is_in_it(exported: Path) -> None:
    assert ADDRESS.encode() in (exported / "measurements.jsonl").read_bytes()
    data = (exported / "kholo.sqlite").read_bytes()
    for secret in (ADDRESS, "Dera Ghazi", "probe_ip", "report_id"):
        assert secret.encode() not in data


def test_datasette_serves_it(exported: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(DATASETTE), "serve", "-i", exported / "kholo.sqlite", "-m", exported / "kholo.metadata.json"]
    command += ["--port", str(port)]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as served:
        try:
            assert served.stdout is not None
            said = b""
            while b"running on" not in said:
                line = served.stdout.readline()
                assert line, said
                said += line
            for address, wanted in (
                ("/kholo/verdicts.json?_shape=objects", "measurement_uid"),
                ("/kholo/entries.json?_search=T&_shape=objects", "e1"),
                ("/kholo/verdicts", "What was decided of each measurement"),
            ):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{address}") as answer:
                    assert wanted in answer.read().decode()
        finally:
            served.terminate()
