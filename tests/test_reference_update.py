"""`kholo reference`: fetched over real sockets or read from files, kept whole or not at all, told as it is."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kholo.fetch.wait import Patience, Timing
from kholo.fetch.web import Web
from kholo.model import NetworkFault, NotThere, ReferenceDataError, StoreError, UsageError
from kholo.pipeline.ingest import ingest
from kholo.pipeline.update import update
from kholo.reference import Kind, load_reference, load_test_lists
from kholo.reference.snapshots import find
from kholo.store import Store

from . import raw, remote
from .conftest import NOW
from .servers import Answer, Request, Wire, serve
from .test_reference_dates import DAYS, kholo, notice, rows

DAY = date(2024, 5, 1)
TABLE = gzip.compress(b"1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n", mtime=0)
LIST = "url,category_code,category_description,date_added,source,notes\n{},NEWS,News Media,2014-04-15,citizenlab,\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The network as the commands use it, without the waits."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,127.0.0.2")
    made = Web(Timing(lambda _seconds: None, lambda: 0.0, lambda: 0.0), Patience(tries=3))
    yield made
    made.close()


def packed(**members: bytes) -> bytes:
    """A tar as a forge makes it of a repository, with what is no list beside the lists."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(f"test-lists-master/lists/{name}.csv")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("test-lists-master/lists/uk.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return made.getvalue()


def files(store: Store) -> list[str]:
    return sorted(str(path.relative_to(store.reference)) for path in store.reference.rglob("*"))


def test_what_is_fetched_is_kept_once_with_where_it_is_from(store: Store, asked: Web) -> None:
    def app(_request: Request) -> Answer:
        return Answer(200, body=TABLE)

    with serve(app) as running:
        address = f"{running.url}/data/ip2asn-combined.tsv.gz?day=1"
        snapshot, is_new = update(store, "networks", (address,), asked, DAY, NOW, "PDDL 1.0")
        before = files(store)
        again, is_new_again = update(store, "networks", (address,), asked, date(2024, 6, 1), NOW, "PDDL 1.0")
    assert (is_new, is_new_again, again) == (True, False, snapshot)
    assert files(store) == before
    assert (snapshot.addresses, snapshot.fetched, snapshot.licence) == ((address,), NOW, "PDDL 1.0")
    assert [file.name for file in snapshot.files] == ["ip2asn-combined.tsv.gz"]
    assert load_reference((), store.reference).line_of("1.0.0.1", DAY) == ("AS13335", "US")


def test_a_connection_that_is_cut_leaves_nothing_and_is_tried_again(store: Store, asked: Web) -> None:
    told: list[str] = []

    def app(request: Request) -> Answer:
        told.append(request.path)
        if request.path == "/never.tsv.gz" or len(told) < 3:
            return Answer(200, {"Content-Length": str(len(TABLE))}, TABLE, wire=Wire(stop=len(TABLE) - 9))
        return Answer(200, body=TABLE)

    with serve(app) as running:
        update(store, "networks", (f"{running.url}/cut.tsv.gz",), asked, DAY, NOW, "")
        before = files(store)
        with pytest.raises(NetworkFault, match="tried 3 times"):
            update(store, "networks", (f"{running.url}/never.tsv.gz",), asked, date(2024, 6, 1), NOW, "")
    assert told[:3] == ["/cut.tsv.gz"] * 3
    assert files(store) == before


@pytest.mark.parametrize("kind", ["fingerprints", "networks", "test-lists"])
def test_a_page_in_the_place_of_a_file_is_not_kept(store: Store, asked: Web, kind: Kind) -> None:
    """A portal that answers everything with a page of its own."""

    def app(request: Request) -> Answer:
        return Answer(404) if request.path == "/gone.csv" else Answer(200, body=b"<html>\n<title>Log in</title></html>")

    with serve(app) as running:
        with pytest.raises(ReferenceDataError, match=r"^global\.csv"):
            update(store, kind, (f"{running.url}/global.csv",), asked, DAY, NOW, "")
        with pytest.raises(NotThere):
            update(store, kind, (f"{running.url}/gone.csv",), asked, DAY, NOW, "")
    assert files(store) == []


def test_the_lists_in_a_packed_tar_are_kept_and_nothing_else(store: Store, asked: Web, tmp_path: Path) -> None:
    path = tmp_path / "master.tar.gz"
    lists = {name: LIST.format(f"https://{name}.example/").encode() for name in ("global", "pk", "cis")}
    path.write_bytes(packed(**lists, **{"00-LEGEND-category_codes": b"a,b\n"}))
    snapshot, _ = update(store, "test-lists", (str(path),), asked, DAY, NOW, "")
    assert [file.name for file in snapshot.files] == ["cis.csv", "global.csv", "pk.csv"]
    assert snapshot.addresses == ("the file master.tar.gz",)
    found = load_test_lists(store.reference).on(DAY)
    assert [str(one) for one in found.of("https://pk.example")] == [
        "on the test list of PK, category NEWS (News Media)"
    ]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReferenceDataError, match="damaged, or cut"):
        update(store, "test-lists", (str(path),), asked, date(2024, 6, 1), NOW, "")
    path.write_bytes(packed(readme=b"x"))
    with pytest.raises(ReferenceDataError, match="none of the files"):
        update(store, "test-lists", (str(path),), asked, date(2024, 6, 1), NOW, "")
    assert len(find(store.reference)) == 1


def test_what_is_wrong_is_said_before_anything_is_written(store: Store, asked: Web, tmp_path: Path) -> None:
    path = tmp_path / "table.tsv.gz"
    path.write_bytes(TABLE)
    with pytest.raises(UsageError, match="2099-01-01 lies in the future"):
        update(store, "networks", (str(path),), asked, date(2099, 1, 1), NOW, "")
    with pytest.raises(UsageError, match="no such file"):
        update(store, "networks", (str(tmp_path / "none"),), asked, DAY, NOW, "")
    with pytest.raises(UsageError, match="two files have this name"):
        update(store, "networks", (str(path), str(path)), asked, DAY, NOW, "")
    with store.writing(), pytest.raises(StoreError, match="another process is writing"):
        update(store, "networks", (str(path),), asked, DAY, NOW, "")
    assert not store.reference.exists()


def test_what_a_killed_run_left_is_no_snapshot_and_goes_away(store: Store, asked: Web, tmp_path: Path) -> None:
    (store.reference / ".half").mkdir(parents=True)
    (store.reference / ".half" / "table.tsv").write_bytes(b"1.0.")
    assert find(store.reference) == []
    (tmp_path / "table.tsv.gz").write_bytes(TABLE)
    snapshot, _ = update(store, "networks", (str(tmp_path / "table.tsv.gz"),), asked, DAY, NOW, "")
    assert [path.name for path in store.reference.iterdir()] == [snapshot.digest]


# ---- the command ---------------------------------------------------------------------------------------------------


def command(store: Store, *more: object) -> list[dict[str, Any]]:
    return rows(kholo("reference", *more, "--store", store.root, "--json"))


def test_files_of_the_field_are_read_whole(store: Store, data: Path) -> None:
    """Counts are those of the files: fingerprints of ooni/blocking-fingerprints, lists of citizenlab/test-lists."""
    prints, lists = data / "ooni" / "fingerprints", data / "test-lists"
    command(store, "update", "--kind", "fingerprints", "--from", prints / "fingerprints_dns.csv",
            "--from", prints / "fingerprints_http.csv")  # fmt: skip
    command(store, "update", "--kind", "test-lists", "--from", lists / "global.csv", "--from", lists / "pk.csv",
            "--licence", "CC BY-NC-SA 4.0")  # fmt: skip
    (shown,) = command(store, "show", "fingerprints")
    counts = {place: sum(scopes.values()) for place, scopes in shown["content"].items()}
    assert counts["dns"] == 226
    assert sum(counts.values()) - counts["dns"] == 1_729
    (shown,) = command(store, "show", "test-lists")
    assert shown["licence"] == "CC BY-NC-SA 4.0"
    # Three addresses stand on the global list with http and with https.
    assert {name: sum(codes.values()) for name, codes in shown["content"].items()} == {"global": 1_719, "pk": 670}
    assert shown["content"]["pk"]["NEWS"] == 199
    assert kholo("reference", "show", "test-lists", "--store", store.root).output.count("NEWS") == 2


def test_snapshots_are_listed_with_the_days_between_which_they_are_in_force(store: Store, tmp_path: Path) -> None:
    for number, begins in enumerate(("2024-03-01", "2024-01-01")):
        path = tmp_path / "table.tsv"
        path.write_text(f"1.0.0.0\t24\t{number + 1}\n")
        (made,) = command(store, "update", "--kind", "networks", "--from", path, "--in-force-from", begins)
        assert made["is_new"]
    listed = command(store, "list")
    assert [(row["in_force_from"], row["in_force_until"]) for row in listed] == [
        ("2024-01-01", "2024-03-01"),
        ("2024-03-01", None),
    ]
    (before,) = command(store, "show", "networks", "--on", "2010-01-01")
    (between,) = command(store, "show", listed[0]["digest"][:6])
    assert before == between
    assert before["content"]["ranges of one network"] == {"IPv4": 1, "IPv6": 0}
    assert "table.tsv, 13 bytes" in kholo("reference", "show", "networks", "--store", store.root).output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("update", "--from", "x.csv"), "--from and --licence need --kind"),
        (("update", "--kind", "networks", "--from", "nothing.tsv"), "no such file"),
        (("show", "networks"), "this store has no snapshot of networks; `kholo reference update --kind networks`"),
        (("show", "0123"), "nor the beginning of one digest: none"),
    ],
)
def test_a_wrong_command_says_what_would_be_right(store: Store, options: tuple[str, ...], said: str) -> None:
    done = kholo("reference", *options, "--store", store.root)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_explain_says_on_which_test_list_an_address_stood_on_the_day(store: Store, tmp_path: Path) -> None:
    (tmp_path / "input.jsonl").write_bytes(notice(1, DAYS[1], "alpha") + b"\n")
    ingest(store, [tmp_path / "input.jsonl"], None, NOW)
    for category, begins in (("NEWS", "2024-01-01"), ("GOVT", "2024-03-01")):
        path = tmp_path / "global.csv"
        path.write_text(LIST.format(f"http://{raw.HOST}/").replace("NEWS", category))
        command(store, "update", "--kind", "test-lists", "--from", path, "--in-force-from", begins)
    uid = f"{DAYS[1].replace('-', '')}180000.000001_PK_webconnectivity_0123456789abcdef"
    said = kholo("explain", uid, "--store", store.root).output
    assert "The address is on the global test list, category NEWS (News Media)\n" in said
    assert "GOVT" not in said
    assert "test list" not in kholo("explain", uid, "--store", store.root, "--json").output


def test_a_snapshot_says_what_it_is_to_whoever_opens_it(store: Store, asked: Web, tmp_path: Path) -> None:
    (tmp_path / "table.tsv.gz").write_bytes(TABLE)
    now = datetime(2024, 5, 2, 3, 4, 5, tzinfo=UTC)
    snapshot, _ = update(store, "networks", (str(tmp_path / "table.tsv.gz"),), asked, DAY, now, "PDDL 1.0")
    said = json.loads((store.reference / snapshot.digest / "snapshot.json").read_bytes())
    assert said["kind"] == "networks"
    assert (said["in_force_from"], said["fetched"]) == ("2024-05-01", "2024-05-02T03:04:05Z")
    assert str(tmp_path) not in json.dumps(said)


def test_the_same_bytes_stay_the_same_measurement_whatever_table_is_in_force(store: Store, tmp_path: Path) -> None:
    """A server's network is looked up as its row comes in; another table later makes no second measurement of it."""
    server = "1.0.0.9"
    row = remote.between(remote.trial(), remote.trial(), vp=server)
    path = tmp_path / "results.json"
    path.write_bytes(remote.encode(row) + b"\n")
    for number, day in ((64500, "2018-01-01"), (64501, "2018-02-01")):
        table = tmp_path / f"{number}.tsv"
        table.write_text(f"1.0.0.0\t1.0.0.255\t{number}\tUS\tSOMEBODY\n")
        command(store, "update", "--kind", "networks", "--from", table, "--in-force-from", day)
        done = ingest(store, [path], None, NOW)
        assert (done.new + done.known, done.conflicts) == (1, 0)
    with store.connect() as db:
        assert db.execute("SELECT network FROM measurements").fetchall() == [("AS64500",)]
