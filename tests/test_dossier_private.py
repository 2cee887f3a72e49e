"""Nothing that points at a volunteer leaves, whatever the measurements said; and what leaves is always the same."""

from __future__ import annotations

import gzip
import random
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from kholo.judge import Judge
from kholo.pipeline.verify import verify
from kholo.publish.exports import FORMATS
from kholo.simulate import load_scenario, shipped_scenarios, simulate

from . import dossiers, lines, raw
from .commands import kholo
from .dossiers import made, measured, stored
from .test_cli import ROOT

IP, CITY, OTHER = "203.0.113.77", "Testburg", "2001:db8::77"
#: A report of 2016, as probes wrote them: a header, then one document a measurement.
REPORT = f"""---
probe_asn: AS64496
probe_cc: PK
probe_city: {CITY}
probe_ip: {IP}
software_name: ooniprobe
software_version: 1.4.0
start_time: 1708160400.0
test_name: http_requests
test_version: 0.2.4
report_id: 20240217T090000Z_AS64496_oldreport
data_format_version: 0.2.0
input_hashes: []
options: []
backend_version: 1.3.0
...
---
agent: agent
input: https://x.com/
requests:
- failure: null
  request: {{method: GET, url: 'https://x.com/', headers: {{}}, body: null, tor: {{is_tor: false}}}}
  response: {{body: 'you are {IP}', code: 200, headers: {{}}}}
test_runtime: 1.0
test_start_time: 1708160400.0
...
"""
#: What IODA would say of the line, were it to name who measured.
ANSWER = lines.ioda(
    lines.event("asn/64496", "2024-02-17T02:00", "2024-02-17T05:00", source="ping-slash24")
    | {"probe_ip": IP, "probe_city": CITY},
    kind="outages.events",
)
INSIDE = "small-dossier/data/"


def telling(number: int, address: str) -> dict[str, Any]:
    """Keys of a measurement that shows who made it."""
    page = f"<p>Your address is {address}, you are in</p>"
    return {"requests": [raw.exchange("https://x.com/", body=page, headers={"X-Seen": address})]}


def measurements() -> list[bytes]:
    """Measurements that name an address of either kind and a city."""
    some = []
    for number, line in enumerate(measured(6)):
        address = OTHER if number % 3 == 0 else IP
        item = msgspec.json.decode(line)
        item |= {"probe_ip": address, "probe_city": CITY}
        item["test_keys"] |= telling(number, address) | {"client_resolver": address}
        some.append(raw.encode(item))
    return some


def unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder or in a ZIP file, what is packed unpacked, tables and printed pages as text."""
    if path.is_dir():
        for below in sorted(path.rglob("*")):
            if below.is_file():
                yield from unpacked(below)
        return
    yield str(path), path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as work:
            archive.extractall(work)
            for name, data in unpacked(Path(work)):
                yield str(Path(name).relative_to(work)), data
    elif path.suffix == ".gz":
        yield str(path), gzip.decompress(path.read_bytes())
    elif path.suffix == ".parquet":
        yield str(path), repr(rows_of(path)).encode()
    elif path.suffix == ".pdf":
        yield str(path), subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True).stdout


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        return db.execute("FROM read_parquet(?)", [str(path)]).fetchall()


def telling_files(path: Path) -> list[str]:
    """The files that name the address or the city."""
    return [name for name, data in unpacked(path) if any(text.encode() in data for text in (IP, OTHER, CITY))]


def test_no_export_and_no_dossier_names_an_address_or_a_city(tmp_path: Path) -> None:
    case = dossiers.case_folder(tmp_path / "case")
    (tmp_path / "report.yaml").write_text(REPORT)
    (tmp_path / "ioda.json").write_bytes(ANSWER)
    store = stored(tmp_path, measurements())
    for name in ("report.yaml", "ioda.json"):
        assert kholo("ingest", str(tmp_path / name), "--store", str(store.root)).returncode in {0, 1}
    with store.connect() as db:
        assert db.execute("SELECT count(*) FROM measurements").fetchall() == [(7,)]
    assert all(telling_files(tmp_path / name) for name in ("report.yaml", "ioda.json"))
    out = tmp_path / "out"
    out.mkdir()
    given = ("--store", str(store.root), "--as-of", "2026-11-24")
    url = ("--url", "https://example.org/small/")
    for kind in FORMATS:
        name = "csv.zip" if kind == "csv" else kind
        assert kholo("export", str(case), *given, "--format", kind, "--out", str(out / name), *url).returncode == 0, (
            kind
        )
    for kind in ("html", "pdf"):
        paper = ("--kind", "annexure", "--format", kind, "--out", str(out / f"a.{kind}"))
        assert kholo("papers", str(case), *given, *paper).returncode == 0
    assert kholo("build", str(case), *given, "--out", str(out / "site")).returncode == 0
    for name in ("verdicts.csv", "verdicts.parquet"):
        assert kholo("verdicts", "--store", str(store.root), "--out", str(out / name)).returncode == 0
    for number, words in enumerate((
        ("verdicts", "--store", str(store.root), "--json", "--limit", "0"),
        ("incidents", "--store", str(store.root), "--json"),
        ("timeline", "--store", str(store.root)),
        ("rejects", "--store", str(store.root)),
        ("signals", "--store", str(store.root), "--json"),
        ("explain", "202402000000000000_PK_webconnectivity_0000000000000000", "--store", str(store.root)),
    )):  # fmt: skip
        done = kholo(*words)
        assert done.returncode in {0, 1}, (words, done.stderr)
        assert done.stdout or words[0] in {"incidents", "timeline"}, words
        (out / f"said-{number}").write_bytes(done.stdout + done.stderr)
    path = made(out, case, store)
    assert telling_files(out) == []
    inside = dict(unpacked(path))
    assert inside[f"{INSIDE}raw/index.jsonl"].count(b'"received"') == 8
    assert b"ping-slash24" in inside[f"{INSIDE}tables/signals.parquet"]
    assert b"PTA" in inside[f"{INSIDE}papers/report.en.pdf"]
    found = verify(path, lambda _: iter(()), 1, dossiers.silent)
    assert found.holds, [check for check in found.checks if check.outcome == "failed"]
    assert {"results", "tables", "pages"} <= {check.check for check in found.checks if check.outcome == "passed"}


def shown(line: bytes, number: int) -> bytes:
    """A simulated measurement with the address and the city of who made it."""
    item = msgspec.json.decode(line)
    address = OTHER if number % 3 == 0 else IP
    item["test_keys"]["client_resolver"] = address
    return raw.encode(item | {"probe_ip": address, "probe_city": CITY, "resolver_ip": address})


def test_nor_does_what_is_said_of_an_incident(tmp_path: Path) -> None:
    """The incidents of the invented country, all of whose probes show themselves."""
    simulated = simulate(load_scenario(shipped_scenarios()["demo"]))
    store = stored(tmp_path, (shown(line, number) for number, line in enumerate(simulated)))
    (out := tmp_path / "out").mkdir()
    case, given = str(ROOT / "cases" / "zz-simulated"), ("--store", str(store.root))
    for number, words in enumerate((
        ("incidents", "--json"),
        ("assess", case, "--json"),
        ("clocks", case, "--json"),
        ("watch", "--as-of", "2025-03-20", "--feed-dir", str(out / "feed"), "--json"),
        ("papers", case, "--kind", "report", "--format", "txt", "--out", str(out / "report.txt")),
    )):  # fmt: skip
        done = kholo(*words, *given)
        assert done.returncode == 0, (words, done.stderr)
        (out / f"said-{number}").write_bytes(done.stdout + done.stderr)
    path = made(out, Path(case), store)
    assert telling_files(tmp_path / "measurements.jsonl") and telling_files(out) == []
    assert b"blocked" in (out / "said-0").read_bytes() and b"AS64500" in (out / "feed" / "alerts.atom").read_bytes()
    inside = dict(unpacked(path))
    incidents = msgspec.json.decode(inside["zz-simulated-dossier/data/results/case.json"])["incidents"]
    assert incidents and all(item["simulated"] for item in incidents)
    assert b"AS64500" in inside["zz-simulated-dossier/data/papers/report.en.pdf"]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_case_gives_the_same_bytes(tmp_path: Path, judge: Judge, workers: int) -> None:
    """Built twice; and from a store that took the same measurements in another order, with other numbers of workers."""
    case = dossiers.case_folder(tmp_path / "case")
    some = measured(40)
    contents = []
    for name in ("one", "other"):
        (folder := tmp_path / name).mkdir()
        store = stored(folder, some, 1 if name == "one" else workers)
        contents.append(made(folder, case, store, judge).read_bytes())
        contents.append(made(folder, case, store, judge).read_bytes())
    assert len(set(contents)) == 1
    (folder := tmp_path / "mixed").mkdir()
    random.Random(workers).shuffle(some)
    mixed = dossiers.files_of(made(folder, case, stored(folder, some, workers), judge))
    first = dossiers.files_of(tmp_path / "one" / "case.zip")
    differing = {name for name in first.keys() | mixed.keys() if first.get(name) != mixed.get(name)}
    # Where a measurement stood in the file that it came in is told, and so is not the same.
    told = {"data/raw/index.jsonl", "data/raw/objects.jsonl", "data/custody.jsonl"}
    seals = {"manifest-sha256.txt", "tagmanifest-sha256.txt", "seal/leaves.jsonl", "seal/statement.txt", "bag-info.txt"}
    assert differing <= told | seals
