"""The command line as a user meets it: exit codes, JSON, and the whole line from bytes to pages."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from kholo.cli import cli
from kholo.cli.rules import page
from kholo.judge import load_ruleset
from kholo.model import UsageError
from kholo.simulate import load_scenario, shipped_scenarios, simulate

from . import raw
from .commands import json_lines, kholo, process

ROOT = Path(__file__).parents[1]
CASES = [str(ROOT / "cases" / name) for name in ("x-pakistan-2024", "zz-simulated")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the simulated country in it, made by the commands themselves."""
    folder = tmp_path_factory.mktemp("cli")
    assert kholo("simulate", "demo", "--out", folder / "demo.jsonl.gz").returncode == 0
    assert kholo("ingest", folder / "demo.jsonl.gz", "--store", folder / "store").returncode == 0
    return folder / "store"


def test_verdicts_have_the_public_names(store: Path) -> None:
    rows = json_lines("verdicts", "--store", store, "--state", "blocked")
    assert len(rows) > 500
    names = "measurement_uid input test_name measured_at service place network state layer mechanism also reachable"
    assert set(f"{names} locus rule_id ruleset reference simulated".split()) <= set(rows[0])
    assert rows[0]["simulated"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[0]["measured_at"])
    assert rows == sorted(rows, key=lambda row: (row["measured_at"], row["measurement_uid"]))


def test_incidents_have_the_public_names_and_lead_to_their_rows(store: Path) -> None:
    blocked, throttled = json_lines("incidents", env={"KHOLO_STORE": str(store)})
    assert {"incident_id", "service", "place", "networks", "state", "mechanisms", "onset", "end", "simulated"} <= set(
        blocked
    )
    assert set(blocked["onset"]) == {"earliest", "latest"}
    (told,) = json_lines("explain", blocked["incident_id"], "--store", store)
    assert len(told["verdicts"]) > 100
    assert "SIMULATED" in kholo("explain", throttled["incident_id"], "--store", store).stdout.decode()
    uid = told["verdicts"][0]["measurement_uid"]
    story = kholo("explain", uid, "--store", store).stdout.decode()
    for part in ("SIMULATED", "What the probe did", "What the control saw", "Verdict:", "What would change it"):
        assert part in story


def test_the_demo_shows_throttling_by_its_rates(store: Path) -> None:
    rates = json_lines("rates", "--store", store, "--service", "chirp")
    (slow,) = [row for row in rates if row["kind"]]
    assert (slow["state"], slow["kind"], slow["network"], slow["simulated"]) == (
        "throttled", "targeted", "AS64500", True,
    )  # fmt: skip
    told = kholo("rates", "--store", store, "--service", "chirp").stdout.decode()
    sentence = "Simulated: Chirp (simulated) at 119 kbit/s (the same in nearly every transfer: a cap) on AS64500"
    assert sentence in told
    incident = kholo("explain", "chirp-ZZ-throttled-202504", "--store", store).stdout.decode()
    assert sentence in incident
    transfer = kholo("explain", slow["measurement_uids"][5], "--store", store).stdout.decode()
    assert re.search(r"status 200, 1\d{4} bytes in [01]\.\d s with the handshake", transfer), transfer


def test_tables_and_files(store: Path, tmp_path: Path) -> None:
    assert b"3398 verdicts" in kholo("verdicts", "--store", store).stdout
    assert b"insufficient" in kholo("timeline", "--store", store).stdout
    for name in ("a.csv", "a.parquet"):
        assert kholo("verdicts", "--store", store, "--out", tmp_path / name).returncode == 0
    with (tmp_path / "a.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 3_398
    with duckdb.connect() as db:
        assert db.execute("SELECT count(*) FROM read_parquet(?)", [str(tmp_path / "a.parquet")]).fetchone() == (3_398,)
    assert kholo("verdicts", "--store", store, "--out", tmp_path / "a.doc").returncode == 2
    assert kholo("incidents", "--store", store, "--out", tmp_path / "i.csv").returncode == 0


def test_a_cell_that_a_spreadsheet_would_run_is_quoted(tmp_path: Path) -> None:
    bad = raw.encode(raw.measurement("=HYPERLINK(1)"))
    assert kholo("ingest", "-", "--store", tmp_path / "store", stdin=bad).returncode == 0
    kholo("verdicts", "--store", tmp_path / "store", "--out", tmp_path / "a.csv")
    assert "'=HYPERLINK" in (tmp_path / "a.csv").read_text()


def test_exit_codes(store: Path, tmp_path: Path) -> None:
    assert process("ingest", "-", "--store", tmp_path / "s", stdin=b"{broken").returncode == 1
    assert b"not_json" in process("rejects", "--store", tmp_path / "s").stdout
    assert process("ingest", tmp_path / "missing", "--store", tmp_path / "s").returncode == 2
    assert process("verdicts", "--service", "xx", "--store", store).returncode == 2
    assert process("explain", "nothing", "--store", store).returncode == 2
    assert process("verdicts", "--store", tmp_path / "none").returncode == 3
    shutil.copytree(CASES[0], tmp_path / "case")
    entry = tmp_path / "case" / "entries" / "f15-pta-officials-deny.toml"
    entry.write_text(entry.read_text().replace("actor =", "acter ="))
    done = process("case", "check", tmp_path / "case")
    assert done.returncode == 2
    assert b"f15-pta-officials-deny.toml:4: acter: is not a key" in done.stderr
    assert process("build", tmp_path / "case", "--out", tmp_path / "site").returncode == 2
    assert not (tmp_path / "site").exists(), "a bad case stops the build before anything is written"


def test_a_store_that_cannot_be_written_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = kholo("ingest", "-", "--store", tmp_path / "file" / "store", stdin=raw.encode(raw.measurement()))
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr


def test_assessments_and_clocks_have_the_public_names(store: Path) -> None:
    found = {row["entry_id"]: row for row in json_lines("assess", CASES[0])}
    assert {"entry_id", "kind", "date", "outcome", "grade", "because"} <= set(found["f22"])
    assert (found["f22"]["outcome"], found["f22"]["grade"]) == ("contradicted", "C")
    clocks = json_lines("clocks", CASES[0], "--as-of", "2024-03-24")
    assert {"clock", "entry_id", "started", "stopped", "days"} <= set(clocks[0])
    assert {(row["clock"], row["stopped"] is None, row["days"]) for row in clocks} == {
        ("compliance", True, 30),
        ("silence", False, 32),
    }
    measured = {row["entry_id"]: row for row in json_lines("assess", CASES[1], "--store", store)}
    assert {row["simulated"] for row in measured.values()} == {True}
    assert {row["simulated"] for row in found.values()} == {False}
    outcomes = {name: (row["outcome"], row["grade"]) for name, row in measured.items()}
    assert outcomes == {
        "z2": ("contradicted", "A"),
        "z3": ("contradicted", "A"),
        "z5": ("supported", "A"),
        "z6": ("contradicted", "A"),
        "z7": ("supported", "A"),
        "z8": ("supported", "A"),
        "z9": ("undetermined", None),
    }


def test_real_cases_never_see_simulated_rows(store: Path) -> None:
    assert json_lines("assess", CASES[0], "--store", store) == json_lines("assess", CASES[0])


def test_any_order_of_files_and_any_number_of_workers_give_the_same_pages(tmp_path: Path) -> None:
    """From bytes to pages, twice: in order on one worker, and shuffled, in pieces, on two."""
    lines = list(simulate(load_scenario(shipped_scenarios()["demo"])))
    files = []
    for number in range(6):
        files.append(tmp_path / f"{number}.jsonl")
        files[-1].write_bytes(b"".join(lines[number::6]))
    kholo("ingest", *files, "--store", tmp_path / "one", "--workers", "1")
    random.Random(3).shuffle(files)
    for file in files:
        assert kholo("ingest", file, "--store", tmp_path / "two", "--workers", "2").returncode == 0
    # Each in a process of its own, so that sets have orders of their own.
    for name in ("one", "two"):
        done = process(
            "build", *CASES, "--store", tmp_path / name, "--out", tmp_path / f"site-{name}", "--as-of", "2026-01-01"
        )
        assert done.returncode == 0, done.stderr
    one, two = (
        {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
        for root in (tmp_path / "site-one", tmp_path / "site-two")
    )
    assert {Path("index.html"), Path("ur/index.html"), Path("manifest.txt")} <= one.keys()
    told = [content for path, content in one.items() if "en/measurements/" in path.as_posix()]
    assert told
    assert all(b"What the probe saw, step by step" in content for content in told)
    assert one == two


def test_no_output_holds_a_report_or_an_address_of_a_probe(store: Path, tmp_path: Path) -> None:
    kholo("build", *CASES, "--store", store, "--out", tmp_path, "--as-of", "2026-01-01")
    texts = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    texts += [kholo(name, "--store", store, "--json").stdout.decode() for name in ("verdicts", "incidents", "timeline")]
    for text in texts:
        assert "127.0.0.1" not in text
        assert "_n1_" not in text
        assert '"report"' not in text


def test_every_command_has_help_with_an_example() -> None:
    for name, command in cli.commands.items():
        subs = getattr(command, "commands", None)
        for words in [[name]] if subs is None else [[name, sub] for sub in subs]:
            shown = CliRunner().invoke(cli, [*words, "--help"])
            assert shown.exit_code == 0
            assert "Example" in shown.output, words


def test_version_names_the_ruleset() -> None:
    done = kholo("--version")
    assert done.stdout.decode().startswith("kholo 0.1.0, ruleset " + load_ruleset().digest)


def test_docs_that_are_made_are_up_to_date(tmp_path: Path) -> None:
    assert (ROOT / "docs" / "rules.md").read_text() == page(load_ruleset()), (
        "run: kholo rules --markdown > docs/rules.md"
    )


def test_every_reason_of_a_reject_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "rejects.md").read_text(), re.MULTILINE))
    source = "".join(path.read_text() for path in (ROOT / "src" / "kholo" / "sources").glob("*.py"))
    source += (ROOT / "src" / "kholo" / "pipeline" / "ingest.py").read_text()
    used = set(re.findall(r'(?:Refused|reject|_Unusable)\(\s*"(\w+)"', source))
    used |= set(re.findall(r'Reject\(\s*\w+(?:\(\w+\))?, [\w +]+, "(\w+)"', source)) | {"unsupported_file"}
    used |= set(re.findall(r'"((?:not|damaged)_(?:gzip|lz4))"', source))
    assert used == documented


def test_commands_in_the_docs_exist() -> None:
    texts = [(ROOT / "README.md").read_text(), *(path.read_text() for path in (ROOT / "docs").rglob("*.md"))]
    named = {match for text in texts for match in re.findall(r"(?:^|`)\s*(?:\$ )?kholo ([a-z]+)\b", text, re.MULTILINE)}
    assert named
    assert named <= set(cli.commands), named - set(cli.commands)


def test_links_between_the_docs_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_explain_shows_an_entry_with_its_sources_and_what_became_of_it() -> None:
    case = ["--case", "cases/x-pakistan-2024", "--as-of", "2025-06-01"]
    shown = CliRunner().invoke(cli, ["explain", "f14", *case])
    assert shown.exit_code == 0, shown.output
    for part in ("Sindh High Court: restore X", "digitalrightsmonitor.pk", "Clock of compliance: 439 days"):
        assert part in shown.output
    (row,) = CliRunner().invoke(cli, ["explain", "f17", *case, "--json"]).output.splitlines()
    assert json.loads(row)["assessments"][0]["outcome"] == "contradicted"
    assert isinstance(CliRunner().invoke(cli, ["explain", "f99", *case]).exception, UsageError)
    assert isinstance(CliRunner().invoke(cli, ["explain", "f14"]).exception, UsageError)
