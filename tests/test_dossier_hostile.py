"""A dossier that is in order by its hashes, and was made to harm who checks it: found or harmless, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from kholo.evidence import bag

from . import dossiers
from .dossiers import Files, files_of, packed, relisted, resealed

ROOT = Path(__file__).parents[1]
DEEP = b"[" * 300_000
INDEX, SET, CASE = "data/raw/index.jsonl", "data/reference/set/", "data/case/"
FIGURES, DECLARED = "data/results/case.json", "data/declared.json"
#: Bytes of address space, in MiB: as much as checking an honest one takes, and a little.
MEMORY = 3_000


def _bomb() -> bytes:
    """4 GiB of zeros in some 4 MB of gzip."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    begin = deflate.compress(b"") + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return begin + block * 4_096 + deflate.flush()


def _head(files: Files, **more: object) -> bytes:
    return json.dumps({**json.loads(files[bag.HEAD]), **more}).encode()


def hostile(files: Files) -> Iterator[tuple[str, Files]]:
    """Dossiers in order by their hashes, by what is in them instead."""
    first = next(name for name in files if name.startswith("data/raw/") and name.endswith(".gz"))
    row = json.loads(files[INDEX].splitlines()[0])

    def indexed(**more: object) -> bytes:
        return json.dumps({**row, **more}).encode() + b"\n"

    def with_item(data: bytes) -> Files:
        packed_item = zlib.compressobj(9, zlib.DEFLATED, 31)
        content = packed_item.compress(data) + packed_item.flush()
        return {first: content, INDEX: indexed(file=first, sha256=sha256(data).hexdigest())}

    rules = files[f"{SET}rules.toml"]
    case, entry = files[f"{CASE}case.toml"], files[f"{CASE}entries/e1.toml"]
    yield "bomb", {first: _bomb()}
    yield "item-two", {first: files[first] + files[first]}
    yield "item-cut", {first: files[first][:-9]}
    yield "item-deep", with_item(DEEP)
    yield "item-numbers", with_item(b'{"test_name":"web_connectivity","probe_asn":' + b"9" * 100_000 + b"}")
    yield "item-nul", with_item(b'{"input":"https://x.com/\\u0000\\u202e","measurement_uid":"\\u0000"}')
    yield "item-no-text", with_item(bytes(range(256)) * 50)
    yield "index-deep", {INDEX: DEEP}
    yield "index-outside", {INDEX: indexed(file="../../../etc/passwd")}
    yield "index-itself", {INDEX: indexed(file=INDEX)}
    yield "index-decoded", {INDEX: indexed(decoded="/etc/passwd")}
    yield "index-huge", {INDEX: indexed(line=10**30, object=-(10**30))}
    yield "index-uid", {INDEX: indexed(uid="'; DROP TABLE measurements; --\x00")}
    yield "index-twice", {INDEX: files[INDEX] * 3}
    yield "index-without", {INDEX: b""}
    yield "head-set", {bag.HEAD: _head(files, set="../../../../../../evil")}
    yield "head-set-absolute", {bag.HEAD: _head(files, set="/tmp/evil")}
    yield "head-counts", {bag.HEAD: _head(files, counts={"raw": 10**18})}
    yield "head-software", {bag.HEAD: _head(files, software="x\nPayload-Oxum: 1.1")}
    yield "head-long-ago", {bag.HEAD: _head(files, as_of="0001-01-01T00:00:00Z")}
    yield "head-far-ahead", {bag.HEAD: _head(files, as_of="9999-12-31T23:59:59Z")}
    yield "declared-deep", {DECLARED: DEEP}
    yield "declared-nothing", {DECLARED: b"null"}
    yield "declared-rejects", {DECLARED: b'{"rejects":{"\\u001b[2J":99999999999999999999}}'}
    yield "figures-deep", {FIGURES: DEEP}
    yield "figures-nan", {FIGURES: b'{"days": NaN, "simulated": ' + b"9" * 5_000 + b"}"}
    yield "case-deep", {f"{CASE}case.toml": b"a = " + DEEP}
    yield "case-dots", {f"{CASE}case.toml": b".".join([b"a"] * 20_000) + b" = 1"}
    yield "case-id", {f"{CASE}case.toml": case.replace(b'"small"', b'"../../evil"', 1)}
    yield "case-service", {f"{CASE}case.toml": case.replace(b'"x"', b'"x; DROP"', 1)}
    yield (
        "case-years",
        {f"{CASE}case.toml": case.replace(b"2024-02-17", b"0001-01-01").replace(b"2024-02-18", b"9999-12-31")},
    )
    yield "case-no-text", {f"{CASE}entries/e1.toml": b"\xff\xfe\0"}
    yield "case-archived", {f"{CASE}entries/e1.toml": entry + b'archived = "../../../etc/passwd"\n'}
    yield "case-script", {f"{CASE}entries/e1.toml": entry.replace(b'"T"', b'"<script>alert(1)</script>"')}
    yield "case-address", {f"{CASE}entries/e1.toml": entry.replace(b"https://example.org/", b"javascript:alert(1)")}
    yield "case-digits", {f"{CASE}entries/e1.toml": entry + b"read = " + b"9" * 20_000}
    yield "file-and-folder", {f"{CASE}entries": b"x"}
    yield "rules-deep", {f"{SET}rules.toml": b"rule = " + DEEP}
    yield "rules-more", {f"{SET}rules.toml": rules + b"[[rule]]\nid = 1\n"}
    yield "rules-none", {f"{SET}rules.toml": b""}
    columns = b"name,scope,location_found,pattern_type,pattern,expected_countries\n"
    print_file = f"{SET}fingerprints/00-fingerprints.csv"
    yield "regex-bomb", {print_file: columns + b"f,prod,body,regexp,(a|a?)+(a|aa)+$((a{1,1000}){1,1000}){1,1000},\n"}
    yield "regex-slow", {print_file: columns + b"f,prod,body,regexp,^(([a-z])+.)+[A-Z]([a-z])+$,\n"}
    yield "regex-broken", {print_file: columns + b"f,prod,body,regexp,(((,\n"}
    yield "services-deep", {f"{SET}services.toml": b"a = " + DEEP}
    yield "services-strange", {f"{SET}services.toml": b'["../../evil"]\nname = "x"\nall_of = ["x.com"]\n'}
    yield "snapshots", {f"{SET}snapshots.json": b'["../../../../etc/passwd"]'}
    yield "snapshots-deep", {f"{SET}snapshots.json": DEEP}
    yield "software", {"data/software/software.json": DEEP}


@pytest.fixture(scope="session")
def files(small_dossier: Path) -> Files:
    """What is in an honest one."""
    return relisted({name: data for name, data in files_of(small_dossier).items() if "/signatures/" not in name})


def _below(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def test_none_crashes_fills_the_memory_or_writes_outside(files: Files, tmp_path: Path) -> None:
    given, scratch, home = tmp_path / "given", tmp_path / "tmp", tmp_path / "home"
    for folder in (given, scratch, home):
        folder.mkdir()
    (given / "honest.zip").write_bytes(packed(files))
    for name, changed in hostile(files):
        (given / f"{name}.zip").write_bytes(packed(resealed({**files, **changed})))
    paths = sorted(given.iterdir())
    before = _below(tmp_path)
    out = tmp_path / "out.jsonl"
    place = {"TMPDIR": str(scratch), "HOME": str(home), "PATH": "", "PYTHONPATH": str(ROOT)}
    words: list[str | Path] = [sys.executable, "-m", "tests.watched", out, str(MEMORY), *paths]
    run = subprocess.run(words, cwd=home, env=place, capture_output=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr.decode()[-3_000:]
    rows = {row["file"]: row for row in map(json.loads, out.read_bytes().splitlines())}
    out.unlink()
    after = _below(tmp_path)
    assert {name: after[name] for name in after if after[name] != before.get(name) and not name.endswith("/tmp")} == {}
    assert {name: row["trace"] for name, row in rows.items() if row["trace"]} == {}
    assert {name: row["wrote"] for name, row in rows.items() if row["wrote"]} == {}
    harmless = {name for name, row in rows.items() if row["code"] == 0}
    assert {name: row["code"] for name, row in rows.items() if row["code"] not in {0, 1}} == {}
    assert harmless == {"honest"}
    assert b"\x1b" not in run.stdout
    assert b"Traceback" not in run.stdout + run.stderr


def test_the_other_verifier_holds_out_too(files: Files, tmp_path: Path) -> None:
    for name, changed in hostile(files):
        (path := tmp_path / f"{name}.zip").write_bytes(packed(relisted(resealed({**files, **changed}))))
        found = list(dossiers.verifier.checks(path.read_bytes()))
        assert {name for name, *_ in found} <= {"container", "files", "tree", "bag", "signatures", "timestamps"}, name
