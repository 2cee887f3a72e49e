"""Nothing that points at a volunteer leaves, whatever the measurements said; and what leaves is always the same."""

from __future__ import annotations

import gzip
import random
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

from . import dossiers, raw
from .commands import kholo
from .dossiers import made, measured, stored

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


def telling(number: int, address: str) -> dict[str, Any]:
    """Keys of a measurement that shows who made it."""
    page = f"<p>Your address is {address}, you are in</p>"
    return {"requests": [raw.exchange("https://x.com/", body=page, headers={"X-Seen": address})]}


def lines() -> list[bytes]:
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
    """Every file below a folder or in a ZIP file, what is packed unpacked, and tables as text."""
    if path.is_dir():
        for below in sorted(path.rglob("*")):
            if below.is_file():
                yield from unpacked(below)
        return
    yield str(path), path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                data = archive.read(name)
                yield name, data
                if name.endswith(".gz"):
                    yield name, gzip.decompress(data)
                if name.endswith(".parquet"):
                    (table := path.parent / "table.parquet").write_bytes(data)
                    yield name, _text(table)
    if path.suffix == ".parquet":
        yield str(path), _text(path)


def _text(path: Path) -> bytes:
    with duckdb.connect() as db:
        return repr(db.execute("FROM read_parquet(?)", [str(path)]).fetchall()).encode()


def telling_files(path: Path) -> list[str]:
    """The files that name the address or the city."""
    return [name for name, data in unpacked(path) if any(text.encode() in data for text in (IP, OTHER, CITY))]


def test_no_export_and_no_dossier_names_an_address_or_a_city(tmp_path: Path) -> None:
    case = dossiers.case_folder(tmp_path / "case")
    (tmp_path / "report.yaml").write_text(REPORT)
    store = stored(tmp_path, lines())
    assert kholo("ingest", str(tmp_path / "report.yaml"), "--store", str(store.root)).returncode in {0, 1}
    with store.connect() as db:
        assert db.execute("SELECT count(*) FROM measurements").fetchall() == [(7,)]
    assert telling_files(tmp_path / "report.yaml")
    out = tmp_path / "out"
    out.mkdir()
    given = ("--store", str(store.root), "--as-of", "2026-11-24")
    url = ("--url", "https://example.org/small/")
    for kind in FORMATS:
        name = "csv.zip" if kind == "csv" else kind
        assert kholo("export", str(case), *given, "--format", kind, "--out", str(out / name), *url).returncode == 0, (
            kind
        )
    assert (
        kholo(
            "papers", str(case), *given, "--kind", "annexure", "--format", "html", "--out", str(out / "a.html")
        ).returncode
        == 0
    )
    assert kholo("build", str(case), *given, "--out", str(out / "site")).returncode == 0
    for name in ("verdicts.csv", "verdicts.parquet"):
        assert kholo("verdicts", "--store", str(store.root), "--out", str(out / name)).returncode == 0
    for number, words in enumerate((
        ("verdicts", "--store", str(store.root), "--json", "--limit", "0"),
        ("incidents", "--store", str(store.root), "--json"),
        ("timeline", "--store", str(store.root)),
        ("rejects", "--store", str(store.root)),
        ("explain", "202402000000000000_PK_webconnectivity_0000000000000000", "--store", str(store.root)),
    )):  # fmt: skip
        done = kholo(*words)
        assert done.returncode in {0, 1}, (words, done.stderr)
        assert done.stdout or words[0] in {"incidents", "timeline"}, words
        (out / f"said-{number}").write_bytes(done.stdout + done.stderr)
    path = made(out, case, store)
    assert telling_files(out) == []
    with zipfile.ZipFile(path) as archive:
        assert archive.read("small-dossier/data/raw/index.jsonl").count(b'"received"') == 7
    found = verify(path, lambda _: iter(()), 1, dossiers.silent)
    assert found.holds, [check for check in found.checks if check.outcome == "failed"]
    assert {"results", "tables", "pages"} <= {check.check for check in found.checks if check.outcome == "passed"}


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
