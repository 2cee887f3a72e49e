"""Dossiers made from stores of many kinds: what they carry, and that they give again what the store gives."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from kholo.evidence.bundle import opened
from kholo.evidence.checks import Check, Outcome
from kholo.judge import Judge, load_ruleset
from kholo.model import EnvironmentFault
from kholo.pipeline import raw as raw_items
from kholo.pipeline.dossier import Made, Wish, make
from kholo.pipeline.ingest import ingest
from kholo.pipeline.replay import replay
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verify import verify
from kholo.reference import load_reference
from kholo.simulate import load_scenario, shipped_scenarios, simulate, write
from kholo.store import Store

from . import raw
from .conftest import NOW
from .dossiers import case_folder, files_of, packed, resealed, signed, silent
from .dossiers import small as small_one

FIGURES = "data/results/case.json"
CASES = Path(__file__).parents[1] / "cases"
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


def made(case: Path, store: Store | None, out: Path, *places: Path, as_of: datetime = AS_OF) -> Made:
    judge = judge_for(store) if store else Judge(load_ruleset(), load_reference())
    return make(Wish(case, as_of, places), store, judge, out, (), silent)


def outcomes(path: Path) -> dict[str, Outcome]:
    found = verify(path, lambda _dossier: iter(()), 1, silent)
    return {check.check: check.outcome for check in found.checks}


def holds_whole(path: Path) -> None:
    """Everything that a dossier can show of itself was shown."""
    found = outcomes(path)
    wanted = ("files", "tree", "bag", "software", "rules", "results", "tables", "pages", "papers")
    assert {name: found[name] for name in wanted} == dict.fromkeys(wanted, Outcome.PASSED)
    assert Outcome.FAILED not in found.values()


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the demo's invented country."""
    folder = tmp_path_factory.mktemp("country")
    write(simulate(load_scenario(shipped_scenarios()["demo"])), folder / "raw.jsonl.gz")
    ingest(Store(folder / "store", create=True), [folder / "raw.jsonl.gz"], None, NOW)
    return folder


@pytest.fixture
def without_typst(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it is not installed: the PDFs of a dossier are long in the making, and two tests here have them."""
    monkeypatch.setitem(sys.modules, "typst", None)


def test_the_figures_of_a_dossier_are_those_of_the_store(country: Path, tmp_path: Path) -> None:
    done = made(CASES / "zz-simulated", Store(country / "store"), tmp_path / "d.zip")
    assert done.measurements > 2_000 and done.statement.simulated
    holds_whole(tmp_path / "d.zip")


def test_real_results_of_an_archive_are_carried_and_called_so(data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    ingest(store, [data / "ooni", data / "censoredplanet"], None, NOW)
    made(CASES / "x-uganda-2026", store, tmp_path / "d.zip")
    holds_whole(tmp_path / "d.zip")
    results = next(check for check in checks_of(tmp_path / "d.zip") if check.check == "results")
    assert "470 results that an archive gives" in results.says
    with opened(tmp_path / "d.zip") as dossier:
        declared = msgspec.json.decode(dossier.read("data/declared.json", 1 << 20))
    # Telegram was measured in Kenya: it teaches what reachable lines look like, and is not carried.
    assert any(month["place"] == "KE" for month in declared["months"])
    assert all(month["place"] != "UG" for month in declared["months"])


def checks_of(path: Path) -> list[Check]:
    with opened(path) as dossier:
        return list(replay(dossier, 1, silent))


def test_a_case_without_measurements_says_that_it_has_none(tmp_path: Path) -> None:
    made(CASES / "x-pakistan-2024", None, tmp_path / "d.zip")
    found = outcomes(tmp_path / "d.zip")
    assert found["measurements"] is Outcome.NOT_CHECKED and found["results"] is Outcome.PASSED
    assert Outcome.FAILED not in found.values()


def measurement(number: int, **more: object) -> bytes:
    return raw.encode(
        raw.measurement(
            "https://x.com/",
            measurement_uid=f"202402{number:012}_PK_webconnectivity_{number:016x}",
            measurement_start_time=f"2024-02-17 {number % 24:02}:00:00",
            **more,
        )
    )


def small(tmp_path: Path, name: str, content: bytes) -> Store:
    """A store of one file."""
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / name).write_bytes(content)
    store = Store(tmp_path / "store", create=True)
    ingest(store, [tmp_path / "in"], None, NOW)
    return store


def lines(*rows: bytes) -> bytes:
    return b"".join(row + b"\n" for row in rows)


#: Measurements as they come in: as lines, packed, alone in a file, and inside of an answer of the archive's API.
FORMS: dict[str, Callable[[], bytes]] = {
    "m.jsonl": lambda: lines(*(measurement(number) for number in range(6))),
    "m.jsonl.gz": lambda: gzip.compress(lines(*(measurement(number) for number in range(6)))),
    "m.json": lambda: measurement(1),
    "wrapped.jsonl": lambda: lines(*(b'{"content": ' + measurement(number) + b"}" for number in range(3))),
    "listing.json": lambda: msgspec.json.encode(
        {
            "results": [
                {
                    "measurement_uid": f"20240217{number:06}.1_PK_webconnectivity_0123456789abcdef",
                    "measurement_start_time": "2024-02-17T10:00:00Z", "probe_cc": "PK", "probe_asn": "AS17557",
                    "input": "https://x.com/", "test_name": "web_connectivity", "anomaly": True, "confirmed": False,
                    "failure": False, "report_id": f"r{number}",
                }
                for number in range(3)
            ]
        }
    ),
}  # fmt: skip


@pytest.mark.usefixtures("without_typst")
@pytest.mark.parametrize("name", FORMS)
def test_whatever_form_measurements_came_in_they_are_carried(name: str, tmp_path: Path) -> None:
    store = small(tmp_path, name, FORMS[name]())
    done = made(case_folder(tmp_path / "case"), store, tmp_path / "d.zip")
    assert done.measurements > 0
    holds_whole(tmp_path / "d.zip")


@pytest.mark.usefixtures("without_typst")
def test_raw_measurements_are_carried_byte_for_byte(tmp_path: Path) -> None:
    odd = measurement(1).replace(b'":', b'" :', 1) + b"  "
    store = small(tmp_path, "m.jsonl", lines(odd, measurement(2)))
    made(case_folder(tmp_path / "case"), store, tmp_path / "d.zip")
    with opened(tmp_path / "d.zip") as dossier:
        assert {item.data for item in raw_items.items(dossier, raw_items.decode_index(dossier)[0])} == {
            odd.strip(),
            measurement(2),
        }


@pytest.mark.usefixtures("without_typst")
def test_other_places_and_later_days_are_not_carried(tmp_path: Path) -> None:
    rows = [
        measurement(1),
        measurement(2, probe_cc="DE"),
        measurement(3).replace(b"2024-02-17", b"2024-02-20"),
    ]
    store = small(tmp_path, "m.jsonl", lines(*rows))
    done = made(case_folder(tmp_path / "case"), store, tmp_path / "d.zip", as_of=datetime(2024, 2, 19, tzinfo=UTC))
    assert done.measurements == 1
    holds_whole(tmp_path / "d.zip")


@pytest.mark.usefixtures("without_typst")
def test_what_is_no_longer_there_is_asked_for_and_found_again(tmp_path: Path) -> None:
    store = small(tmp_path, "m.jsonl", lines(measurement(1), measurement(2)))
    case = case_folder(tmp_path / "case")
    shutil.move(tmp_path / "in", tmp_path / "elsewhere")
    with pytest.raises(EnvironmentFault, match=r"2 measurements .*m\.jsonl.*--raw"):
        made(case, store, tmp_path / "d.zip")
    assert not (tmp_path / "d.zip").exists()
    made(case, store, tmp_path / "d.zip", tmp_path / "elsewhere")
    holds_whole(tmp_path / "d.zip")


@pytest.mark.usefixtures("without_typst")
def test_bytes_that_were_changed_meanwhile_do_not_stand_in_for_those_that_came_in(tmp_path: Path) -> None:
    store = small(tmp_path, "m.jsonl", lines(measurement(1), measurement(2)))
    (tmp_path / "in" / "m.jsonl").write_bytes(lines(measurement(1), measurement(3)))
    with pytest.raises(EnvironmentFault, match="1 measurements"):
        made(case_folder(tmp_path / "case"), store, tmp_path / "d.zip")


@pytest.mark.usefixtures("without_typst")
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    store = small(tmp_path, "m.jsonl", lines(measurement(1)))
    (tmp_path / "out").mkdir()
    made(case_folder(tmp_path / "case"), store, tmp_path / "out" / "d.zip")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["d.zip"]


@pytest.mark.usefixtures("without_typst")
def test_a_figure_that_was_changed_by_the_maker_is_found_by_the_re_run(country: Path, tmp_path: Path) -> None:
    """The maker has the key, and so can seal anything: only computing it anew shows it."""
    case = tmp_path / "case"
    shutil.copytree(CASES / "zz-simulated", case)
    made(case, Store(country / "store"), tmp_path / "honest.zip")
    forge(tmp_path / "honest.zip", tmp_path / "forged.zip")
    found = verify(tmp_path / "forged.zip", lambda _dossier: iter(()), 1, silent)
    failed = {check.check for check in found.of(Outcome.FAILED)}
    assert failed == {"results"} and not found.holds
    (check,) = found.of(Outcome.FAILED)
    assert any("incidents.0.reports" in line for line in check.details)


def forge(honest: Path, forged: Path) -> None:
    """One more independent report for the first incident, and everything sealed anew around it."""
    files = files_of(honest)
    content = msgspec.json.decode(files[FIGURES])
    content["incidents"][0]["reports"] += 1
    forged.write_bytes(packed(resealed({**files, FIGURES: msgspec.json.encode(content)}), "zz-simulated-dossier/"))


@pytest.mark.usefixtures("without_typst")
def test_a_later_moment_is_another_dossier_and_an_earlier_one_sees_less(country: Path, tmp_path: Path) -> None:
    first = made(
        CASES / "zz-simulated", Store(country / "store"), tmp_path / "a.zip", as_of=datetime(2025, 3, 20, tzinfo=UTC)
    )
    second = made(
        CASES / "zz-simulated",
        Store(country / "store"),
        tmp_path / "b.zip",
        as_of=datetime(2025, 3, 20, tzinfo=UTC) + timedelta(days=30),
    )
    assert first.measurements < second.measurements and first.statement.root != second.statement.root
    holds_whole(tmp_path / "a.zip")


@pytest.mark.usefixtures("without_typst")
def test_a_library_that_is_missing_makes_no_signature_wrong(tmp_path: Path) -> None:
    """Whoever verifies with the bare installation must not be told that a good signature is bad."""
    path = signed(tmp_path, small_one(tmp_path), tmp_path / "key")
    program = (
        "import sys; sys.modules['cryptography'] = None; from kholo.cli import main; "
        f"sys.argv = ['kholo', 'verify', {str(path)!r}, '--no-rerun']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "can't be checked here" in done.stdout and "kholo[signatures]" in done.stdout
