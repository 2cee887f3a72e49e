"""The custody log: what breaks its chain is found, a break of the power is mended, and commands write into it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import BrokenChain, EnvironmentFault
from kholo.store import Store
from kholo.store.custody import Custody, Thing, listing

from . import dossiers
from .commands import json_lines, kholo
from .conftest import NOW
from .servers import Bucket, archive, serve
from .test_case_archive import case as archived_case
from .test_case_archive import site
from .test_cli import CASES
from .test_fetch import DAYS, SINCE, archives, endpoints, many

_ADDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from kholo.store import Store
from kholo.store.custody import Custody, Thing
for number in range(int(sys.argv[2])):
    Custody(Path(sys.argv[1])).add("ingest", datetime(2026, 11, 24, tzinfo=UTC), [Thing(f"{number}.jsonl")])
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of four entries."""
    root = tmp_path_factory.mktemp("log")
    for number in range(4):
        Custody(root).add("ingest", NOW, [Thing(f"{number}.jsonl", "ab" * 32, size=number)], counts={"new": number})
    return root


def is_found(tmp_path: Path, data: bytes, head: str | None) -> bool:
    (tmp_path / "custody.jsonl").write_bytes(data)
    try:
        Custody(tmp_path).check(head)
    except BrokenChain:
        return True
    return False


def test_an_entry_names_the_line_before(written: Path) -> None:
    lines = Custody(written).path.read_bytes().splitlines(keepends=True)
    entries = list(Custody(written).entries())
    assert [entry.number for entry in entries] == [1, 2, 3, 4]
    assert entries[0].previous is None
    assert [entry.previous for entry in entries[1:]] == [hashlib.sha256(line).hexdigest() for line in lines[:-1]]
    assert Custody(written).head() == hashlib.sha256(lines[-1]).hexdigest()


def test_every_byte_that_is_another_is_found(written: Path, tmp_path: Path) -> None:
    data, head = Custody(written).path.read_bytes(), Custody(written).head()
    assert not is_found(tmp_path, data, head)
    missed = [
        at
        for at in range(len(data))
        if not is_found(tmp_path, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], head)
    ]
    assert missed == []


def test_lines_taken_out_put_elsewhere_or_cut_off_are_found(written: Path, tmp_path: Path) -> None:
    data, head = Custody(written).path.read_bytes(), Custody(written).head()
    lines = data.splitlines(keepends=True)
    for at in range(3):
        assert is_found(tmp_path, b"".join(lines[:at] + lines[at + 1 :]), None)
        assert is_found(tmp_path, b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]), None)
    assert all(is_found(tmp_path, data[:size], head) for size in range(len(data) - 1)), (
        "the last line feed says nothing"
    )


@given(cuts=st.lists(st.integers(0, 150), max_size=8))
def test_half_lines_are_mended_and_kept_under_the_chain(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = Custody(tmp_path_factory.mktemp("torn"))
    whole = 0
    for cut in cuts:
        log.add("edit", NOW, [Thing("entries/f1.toml")], by="somebody \ud800 \x1b")
        os.truncate(log.path, log.path.stat().st_size - cut)
        whole += cut <= 1  # A line that lacks but its line feed says all that it said.
    log.check()
    assert [entry.number for entry in log.entries()] == list(range(1, whole + 1))


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_chain(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _ADDS, tmp_path, "1000000"])
    while not Custody(tmp_path).path.exists() or Custody(tmp_path).path.stat().st_size < 5_000:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    last = Custody(tmp_path).add("edit", NOW)
    Custody(tmp_path).check()
    assert last.number > 10


def test_two_processes_add_whole_lines(tmp_path: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", _ADDS, tmp_path, "60"]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list(Custody(tmp_path).entries())) == 120


def test_a_log_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "custody.jsonl").mkdir()
    with pytest.raises(EnvironmentFault, match=r"custody\.jsonl"):
        Custody(tmp_path).add("ingest", NOW)


def test_commands_write_what_they_did_and_no_path_of_the_machine(tmp_path: Path) -> None:
    store, raw, case = tmp_path / "store", tmp_path / "demo.jsonl.gz", tmp_path / "zz-new"
    assert kholo("simulate", "demo", "--out", raw).returncode == 0
    env = {"KHOLO_STORE": str(store), "KHOLO_BY": "Desk"}
    for command in (
        ("ingest", raw),
        ("rejudge",),
        ("build", CASES[1], "--out", tmp_path / "site"),
        ("export", CASES[1], "--format", "json", "--out", tmp_path / "all.json"),
        ("papers", CASES[1], "--kind", "letter", "--out", tmp_path / "letter.html"),
        ("case", "new", case, "--title", "t", "--service", "x", "--place", "ZZ", "--start", "2024-01-01",
         "--summary", "s", "--actor", "a; A; court", "--simulated"),
        ("case", "edit", case, "case.toml", "title=other"),
    ):  # fmt: skip
        done = kholo(*command, env=env)
        assert done.returncode == 0, done.stderr
    entries = json_lines("custody", env=env)
    assert [entry["action"] for entry in entries] == ["ingest", "rejudge", "build", "export", "papers", "edit", "edit"]
    assert {entry["by"] for entry in entries} == {"Desk"}
    data = raw.read_bytes()
    assert entries[0]["what"] == [{"name": raw.name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}]
    assert entries[6]["what"][0]["before"] == entries[5]["what"][0]["sha256"]
    assert entries[6]["what"][0]["sha256"] == hashlib.sha256((case / "case.toml").read_bytes()).hexdigest()
    assert os.fsencode(tmp_path.name) not in (store / "custody.jsonl").read_bytes()
    assert [entry["action"] for entry in json_lines("custody", "--case", "zz-new", env=env)] == ["edit", "edit"]
    head = msgspec.json.decode(kholo("custody", "check", "--json", env=env).stdout)["head"]
    assert kholo("custody", "check", "--head", head, env=env).returncode == 0
    assert kholo("custody", "check", "--head", "0" * 64, env=env).returncode == 1


def test_what_comes_in_and_goes_out_of_a_store_is_told(tmp_path: Path) -> None:
    """Fetched over loopback, reference data set up, a case put in form, a dossier made, signed and redacted."""
    store, case, key, whole = (tmp_path / name for name in ("store", "case", "key", "small.zip"))
    env = {"KHOLO_STORE": str(store), "KHOLO_BY": "Desk", "no_proxy": "127.0.0.1"}
    dossiers.case_folder(case)
    (tmp_path / "pk.csv").write_bytes(
        b"url,category_code,category_description,date_added,source,notes\n"
        b"https://x.com/,GRP,Social Networking,2024-01-01,somebody,\n"
    )
    with archives() as running:
        places = [f"--endpoint={name}={address}" for name, address in endpoints(running).items()]
        days = ("--cc", "PK", "--since", f"{SINCE:%Y-%m-%d}", "--until", f"{SINCE + timedelta(days=1):%Y-%m-%d}")
        for command in (
            ("fetch", "ooni", *days, *places),
            ("reference", "update", "--kind", "test-lists", "--from", tmp_path / "pk.csv", "--licence", "CC0"),
            ("case", "fmt", case),
            ("key", "new", key, "--no-passphrase"),
            ("dossier", case, "--out", whole, "--key", key, "--workers", "1"),
            ("sign", whole, "--key", key),
            ("redact", whole, "--out", tmp_path / "public.zip", "--withhold", "pages", "--because", "too large"),
        ):
            done = kholo(*command, env=env)
            assert done.returncode == 0, (command, done.stderr)
    entries = json_lines("custody", env=env)
    assert [entry["action"] for entry in entries] == [
        "fetch", "reference", "edit", "dossier", "sign", "redact",
    ]  # fmt: skip
    assert {entry["by"] for entry in entries} == {"Desk"}
    assert entries[0]["what"][0]["name"] == "ooni" and entries[0]["counts"]["objects"] > 0
    assert entries[4]["what"][0]["sha256"] == hashlib.sha256(whole.read_bytes()).hexdigest()
    assert entries[5]["about"] == {"of": "small.zip"}
    assert kholo("custody", "check", env=env).returncode == 0


def test_what_a_watch_fetches_is_told_by_each_run_for_itself(tmp_path: Path) -> None:
    """Over loopback: what was there at first, what came later, nothing more, and an archive that is gone."""
    store, today = tmp_path / "store", datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    env = {"KHOLO_STORE": str(store), "no_proxy": "127.0.0.1"}
    items = many(12, today - timedelta(days=DAYS))
    first, later = (
        {name: body for name, body in archive.raw(some).items() if name.endswith(".tar.gz")}
        for some in (items[:6], items[6:])
    )
    bucket = Bucket(dict(first))
    with serve(bucket) as running:
        place = f"--endpoint=bucket={endpoints(running)['bucket']}"
        days = ("--cc", "PK", "--since", f"{today - timedelta(days=DAYS):%Y-%m-%d}", "--via", "bucket", place)
        assert kholo("fetch", "ooni", *days, "--follow", "--by", "Desk", env=env).returncode == 0
        head = Custody(store).head()
        for key, body in later.items():
            bucket.put(key, body)
        for _ in range(2):
            done = kholo("watch", "--fetch", "--by", "Night desk", env=env)
            assert done.returncode == 0, done.stderr
    assert kholo("watch", "--fetch", "--by", "Nobody", env=env).returncode == 1
    entries = list(Custody(store).entries())
    assert [(entry.action, entry.by) for entry in entries] == [("fetch", "Desk"), ("fetch", "Night desk")]
    for entry, objects in zip(entries, (first, later), strict=True):
        digests = {name: hashlib.sha256(body).hexdigest() for name, body in objects.items()}
        assert entry.what == (Thing("ooni", listing(digests)),)
        counts = {"objects": len(objects), "bytes": sum(map(len, objects.values())), "read": 6, "new": 6, "rejected": 0}
        assert counts.items() <= entry.counts.items()
    assert kholo("custody", "check", "--head", str(head), env=env).returncode == 0


def test_copies_of_sources_are_told(tmp_path: Path) -> None:
    env = {"KHOLO_STORE": str(tmp_path / "store"), "no_proxy": "127.0.0.1"}
    Store(tmp_path / "store", create=True)
    with serve(site) as running:
        folder = archived_case(tmp_path / "case", running, "/page")
        done = kholo("case", "archive", folder, "--local", env=env)
    (entry,) = json_lines("custody", env=env)
    names = sorted(Path(thing["name"]).parent.name for thing in entry["what"])
    assert entry["action"] == "archive" and names == ["entries", "sources"], done.stderr
    for thing in entry["what"]:
        assert hashlib.sha256((folder / thing["name"]).read_bytes()).hexdigest() == thing["sha256"]
