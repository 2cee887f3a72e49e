"""Ingest into real stores: what comes in, what is rejected and why, and that nothing is lost or counted twice."""

from __future__ import annotations

import gzip
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.judge import Judge
from kholo.model import StoreError, UsageError
from kholo.pipeline.filling import Summary
from kholo.pipeline.ingest import ingest
from kholo.pipeline.verdicts import Filter, judged, select
from kholo.sources.items import MAX_ITEM
from kholo.store import Store, rows

from . import raw
from .conftest import NOW
from .raw import handshake


def many(count: int, start: int = 0) -> list[bytes]:
    """Distinct measurements, every third one of a reset."""
    made = []
    for number in range(start, start + count):
        moment = f"2024-02-{17 + number // 1440 % 10} {number // 60 % 24:02}:{number % 60:02}:00"
        keys: dict[str, Any] = (
            {"tls_handshakes": [handshake("connection_reset")], "requests": []} if number % 3 == 0 else {}
        )
        made.append(
            raw.encode(
                raw.measurement(
                    "https://x.com/",
                    measurement_uid=f"202402{number:012}_PK_webconnectivity_{number:016x}",
                    report_id=f"report-{number // 4}",
                    measurement_start_time=moment,
                    **keys,
                )
            )
        )
    return made


def take(store: Path, *paths: Path, workers: int = 1, stdin: bytes | None = None) -> Summary:
    stream = io.BytesIO(stdin) if stdin is not None else None
    return ingest(Store(store, create=True), list(paths), stream, NOW, workers)


def verdict_rows(store: Path, judge: Judge) -> bytes:
    with judged(Store(store), judge) as db:
        return b"\n".join(msgspec.json.encode(row) for row in select(db, Filter()))


def reject_rows(store: Path) -> list[dict[str, Any]]:
    with Store(store).connect() as db:
        return list(rows(db.execute("SELECT * FROM rejects ORDER BY file, line")))


def write_tar(path: Path, posts: list[bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for number, post in enumerate(posts):
            member = tarfile.TarInfo(f"../../{number}.post")
            member.size = len(post)
            archive.addfile(member, io.BytesIO(post))


def as_lines(path: Path, items: list[bytes]) -> None:
    path.write_bytes(b"\n".join(items) + b"\n")


def as_gzip(path: Path, items: list[bytes]) -> None:
    path.write_bytes(gzip.compress(b"\n".join(items) + b"\n"))


def as_posts(path: Path, items: list[bytes]) -> None:
    write_tar(path, [b'{"format":"json","content":' + item + b"}" for item in items])


@pytest.mark.parametrize(
    ("name", "write"), [("a.jsonl", as_lines), ("a.jsonl.gz", as_gzip), ("a.tar.gz", as_posts), ("a.json", as_lines)]
)
def test_each_kind_of_archive_gives_the_same(
    name: str, write: Callable[[Path, list[bytes]], None], tmp_path: Path, judge: Judge
) -> None:
    items = many(9)
    write(tmp_path / name, items)
    assert take(tmp_path / "store", tmp_path / name).new == 9
    take(tmp_path / "plain", stdin=b"\n".join(items))
    assert verdict_rows(tmp_path / "store", judge) == verdict_rows(tmp_path / "plain", judge)
    assert not (tmp_path.parent / "0.post").exists(), "a member's path was followed"


def test_standard_input_may_be_gzipped(tmp_path: Path) -> None:
    assert take(tmp_path / "store", stdin=gzip.compress(b"\n".join(many(5)))).new == 5


def test_running_it_again_changes_nothing(tmp_path: Path) -> None:
    as_lines(tmp_path / "a.jsonl", [*many(20), b"{broken"])
    as_gzip(tmp_path / "b.jsonl.gz", many(20, start=10))
    first = take(tmp_path / "store", tmp_path / "a.jsonl")
    assert (first.new, first.rejected) == (20, 1)
    before = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*.parquet")}
    again = take(tmp_path / "store", tmp_path / "a.jsonl")
    assert (again.new, again.known, again.rejected) == (0, 20, 1)
    assert before == {path: path.read_bytes() for path in (tmp_path / "store").rglob("*.parquet")}
    overlapping = take(tmp_path / "store", tmp_path / "b.jsonl.gz")
    assert (overlapping.new, overlapping.known) == (10, 10)
    assert len(reject_rows(tmp_path / "store")) == 1


def test_order_and_workers_make_no_difference(tmp_path: Path, judge: Judge) -> None:
    items = many(700)
    files = []
    for number in range(7):
        as_gzip(tmp_path / f"{number}.jsonl.gz", items[number * 100 : number * 100 + 120])
        files.append(tmp_path / f"{number}.jsonl.gz")
    take(tmp_path / "one", *files)
    random.Random(4).shuffle(files)
    for file in files:
        take(tmp_path / "two", file, workers=2)
    assert verdict_rows(tmp_path / "one", judge) == verdict_rows(tmp_path / "two", judge)


def test_facts_are_kept_and_verdicts_come_back_the_same(tmp_path: Path, judge: Judge, data: Path) -> None:
    """Verdicts are thrown away and judged anew from stored observations alone."""
    take(tmp_path / "store", data / "ooni" / "qa", data / "ooni" / "measurements", stdin=b"\n".join(many(30)))
    before = verdict_rows(tmp_path / "store", judge)
    for path in (tmp_path / "store" / "verdicts").rglob("*.parquet"):
        path.unlink()
    assert before.count(b"\n") > 60
    assert verdict_rows(tmp_path / "store", judge) == before


BAD = {
    "bad.jsonl": (b"{not json", "not_json"),
    "nan.jsonl": (b'{"test_keys": {}, "measurement_start_time": NaN}', "not_json"),
    "list.jsonl": (b"[1, 2]", "unknown_row"),
    "deep.jsonl": (b'{"test_keys": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too_deep"),
    "types.jsonl": (raw.encode(raw.measurement(probe_cc=7)), "wrong_type"),
    "place.jsonl": (raw.encode(raw.measurement(probe_cc="Pakistan")), "bad_place"),
    "sql.jsonl": (raw.encode(raw.measurement(probe_asn="AS1'; DROP TABLE x --")), "bad_network"),
    "old.jsonl": (raw.encode(raw.measurement(measurement_start_time="1970-01-01 00:00:00")), "time_implausible"),
    "future.jsonl": (raw.encode(raw.measurement(measurement_start_time="2027-11-24 00:00:00")), "time_in_future"),
    "time.jsonl": (raw.encode(raw.measurement(measurement_start_time="yesterday")), "bad_time"),
    "row.jsonl": (b'{"hello": "world"}', "unknown_row"),
    "binary.jsonl": (raw.encode(raw.measurement()).replace(b"getaddrinfo", b"\xff\xfe"), "not_utf8"),
    "plain.jsonl.gz": (b'{"test_keys": {}}', "not_gzip"),
    "plain.tar.gz": (b"not a tar", "damaged_tar"),
    "notes.txt": (b"hello", "unsupported_file"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_named_reject_and_the_rest_goes_on(name: str, tmp_path: Path) -> None:
    content, reason = BAD[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    as_lines(folder / "good.jsonl", many(2))
    summary = take(tmp_path / "store", folder)
    assert (summary.new, summary.rejected, summary.reasons) == (2, 1, {reason: 1})
    (reject,) = reject_rows(tmp_path / "store")
    assert reject["file"].endswith(name)
    assert reject["detail"]
    assert len(reject["digest"]) == 64
    assert reject["detail"].isprintable()


def test_a_cut_gzip_keeps_what_stood_before_the_cut(tmp_path: Path) -> None:
    noise = random.Random(1)
    items = [item[:-1] + b',"pad":"%x"}' % noise.getrandbits(8_000) for item in many(50)]
    whole = gzip.compress(b"\n".join(items) + b"\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) * 2 // 3])
    summary = take(tmp_path / "store", tmp_path / "cut.jsonl.gz")
    assert 10 < summary.new < 50
    assert summary.reasons == {"damaged_gzip": 1}
    assert reject_rows(tmp_path / "store")[0]["line"] == summary.new + 1


def test_a_line_of_200_mb_is_read_past_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as stream:
        stream.write(many(1)[0] + b"\n")
        for _ in range(200):
            stream.write(b'{"a": "' + b"x" * ((1 << 20) - 7))
        stream.write(b"\n" + many(1, start=1)[0] + b"\n")
    script = (
        "import sys; sys.argv = ['kholo', 'ingest', sys.argv[1], '--store', sys.argv[2], '--workers', '1'];"
        "from kholo.cli import main\ntry: main()\nexcept SystemExit as e: code = e.code\n"
        "peak = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(code, peak // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(tmp_path / "store")], capture_output=True, text=True, check=True
    )
    code, megabytes = done.stdout.splitlines()[-1].split()
    assert "2 new" in done.stdout
    assert code == "1"
    assert int(megabytes) < 64 + 10 * MAX_ITEM // (1 << 20), "memory grew with the line"
    (reject,) = reject_rows(tmp_path / "store")
    assert (reject["reason"], reject["line"]) == ("too_large", 2)


def test_one_uid_with_two_contents_counts_for_neither(tmp_path: Path, judge: Judge) -> None:
    honest, forged = (
        raw.encode(raw.measurement("https://x.com/", **keys))
        for keys in ({}, {"tls_handshakes": [handshake("connection_reset")], "requests": []})
    )
    stores = []
    for name, order in (("a", [honest, forged]), ("b", [forged, honest])):
        summary = take(tmp_path / name, stdin=b"\n".join(order))
        assert summary.conflicts == 1
        stores.append(verdict_rows(tmp_path / name, judge))
    assert stores[0] == stores[1]
    verdict = msgspec.json.decode(stores[0])
    assert (verdict["state"], verdict["rule_id"], verdict["mechanism"]) == (
        "insufficient",
        "measurement.conflict",
        None,
    )


def test_the_same_measurement_in_another_wrapping_is_no_conflict(tmp_path: Path) -> None:
    item = many(1)[0]
    pretty = msgspec.json.format(item, indent=2)
    (tmp_path / "pretty.json").write_bytes(pretty)
    take(tmp_path / "store", stdin=item)
    summary = take(tmp_path / "store", tmp_path / "pretty.json")
    assert (summary.new, summary.known, summary.conflicts) == (0, 1, 0)


def test_raw_evidence_is_preferred_to_an_archives_result(tmp_path: Path, judge: Judge) -> None:
    listed = {
        "measurement_uid": "20240217180000.000000_PK_webconnectivity_0123456789abcdef",
        "measurement_start_time": "2024-02-17T18:00:00Z", "probe_cc": "PK", "probe_asn": "AS64496",
        "input": "https://x.com/", "test_name": "web_connectivity", "anomaly": True, "confirmed": False,
        "failure": False, "report_id": "r",
    }  # fmt: skip
    answer = raw.encode({"metadata": {"count": 1}, "results": [listed]})
    (tmp_path / "listing.json").write_bytes(answer)
    take(tmp_path / "store", tmp_path / "listing.json")
    first = msgspec.json.decode(verdict_rows(tmp_path / "store", judge))
    assert (first["state"], first["grade"]) == ("insufficient", "B"), "an anomaly is no evidence"
    take(tmp_path / "store", stdin=raw.encode(raw.measurement("https://x.com/")))
    then = msgspec.json.decode(verdict_rows(tmp_path / "store", judge))
    assert (then["state"], then["grade"]) == ("ok", "A")


def test_no_probe_address_reaches_the_store(tmp_path: Path, judge: Judge) -> None:
    """Old reports carry the volunteer's own address, in the envelope and wherever the tests echoed it."""
    page = raw.exchange("http://www.example.com/", body="<p>Your address 66.253.196.21 was logged</p>")
    leaky = raw.measurement("http://www.example.com/", probe_ip="66.253.196.21", requests=[page])
    take(tmp_path / "store", stdin=raw.encode(leaky))
    with Store(tmp_path / "store").connect() as db:
        for table in ("measurements", "observations"):
            text = str(db.execute(f"SELECT * FROM {table}").fetchall())
            assert "66.253.196.21" not in text
    with Store(tmp_path / "store").connect() as db:
        assert "[scrubbed]" in str(db.execute("SELECT body FROM observations").fetchall())


def test_killed_in_the_middle_nothing_is_lost_and_nothing_counted_twice(tmp_path: Path, judge: Judge) -> None:
    """Kill -9 again and again at random moments, then let it finish: the store is as if nothing had happened."""
    for number in range(4):
        as_gzip(tmp_path / f"{number}.jsonl.gz", many(6_000, start=number * 6_000))
    files = sorted(tmp_path.glob("*.jsonl.gz"))
    command = [sys.executable, "-c", "from kholo.cli import main; main()", "ingest", *map(str, files), "--workers", "1"]
    store = tmp_path / "store"
    moments = random.Random(7)
    killed = 0
    for _ in range(5):
        process = subprocess.Popen(
            [*command, "--store", str(store)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.3, 2.5))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    take(store, *files)
    assert killed, "no run was cut off: the test proved nothing"
    take(tmp_path / "clean", *files)
    assert verdict_rows(store, judge) == verdict_rows(tmp_path / "clean", judge)
    with Store(store).connect() as db:
        assert (
            db.execute("SELECT count(*), count(DISTINCT measurement_uid) FROM measurements").fetchone() == (24_000,) * 2
        )
    assert not list((store / "tmp").glob("*/*.parquet"))


def test_two_writers_at_once_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    with store.writing(), pytest.raises(StoreError, match="another process is writing"):
        take(tmp_path / "store", stdin=many(1)[0])


def test_a_folder_of_something_else_is_not_taken_for_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="neither empty nor a store"):
        Store(tmp_path, create=True)
    with pytest.raises(StoreError, match="there is no store here"):
        Store(tmp_path / "missing")


def test_a_path_that_is_not_there_is_a_wrong_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        take(tmp_path / "store", tmp_path / "missing.jsonl")
