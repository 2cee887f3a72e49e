"""Fetching over real sockets, from servers that fail as archives do: the store ends up as after a clean run."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.fetch.download import download
from kholo.fetch.ledger import Ledger
from kholo.fetch.plan import Plan, Remote, Wanted
from kholo.fetch.wait import Patience, Timing, retry_after
from kholo.fetch.web import USER_AGENT, Token, Web
from kholo.model import EnvironmentFault, NetworkFault
from kholo.pipeline.fetch import Fetched, due, fetch, room
from kholo.sources import ooni_fetch
from kholo.store import Store, rows

from . import raw
from .commands import kholo
from .conftest import NOW
from .raw import handshake
from .servers import Answer, Bucket, Faults, Kind, OoniApi, Request, Running, archive, beside, serve

DAYS = 3
SINCE = datetime(2024, 2, 17, tzinfo=UTC)
OPTIONS = {"via": "bucket", "layout": "auto", "form": "tar.gz"}


def made(number: int, moment: datetime, is_blocked: bool = False) -> dict[str, Any]:
    """One measurement of X, uploaded when it was made."""
    keys: dict[str, Any] = {"tls_handshakes": [handshake("connection_reset")], "requests": []} if is_blocked else {}
    return raw.measurement(
        "https://x.com/",
        measurement_uid=f"{moment:%Y%m%d%H%M%S}.{number:06}_PK_webconnectivity_{number:016x}",
        report_id=f"{moment:%Y%m%dT%H}0000Z_webconnectivity_PK_64496_n1_{number:08}",
        measurement_start_time=f"{moment:%Y-%m-%d %H:%M:%S}",
        **keys,
    )


def many(count: int = 300, since: datetime = SINCE, blocked_after: int = 10**9) -> list[dict[str, Any]]:
    step = timedelta(days=DAYS) / count
    return [made(number, since + number * step, number >= blocked_after) for number in range(count)]


MANY = many()


@contextmanager
def archives(faults: Faults | None = None, page: int = 3, objects: dict[str, bytes] | None = None) -> Iterator[Running]:
    bucket = Bucket(archive.raw(MANY, most=2) if objects is None else objects, page=page)
    with serve(beside({"/ooni-data-eu-fra/": bucket, "/api/": OoniApi(MANY)}), faults) as running:
        yield running


def quick(seconds: list[float] | None = None, token: Token | None = None, **patience: Any) -> Web:
    """The network without its waits, which are written down in `seconds`."""
    waits = [] if seconds is None else seconds
    chance = random.Random(1)
    timing = Timing(waits.append, time.monotonic, chance.random)
    return Web(timing, Patience(**({"tries": 8, "connect": 2.0, "read": 0.5} | patience)), token=token)


def endpoints(running: Running) -> dict[str, str]:
    return {"bucket": f"{running.url}/ooni-data-eu-fra", "legacy": f"{running.url}/ooni-data", "api": running.url}


def wanted(**more: Any) -> Wanted:
    base: dict[str, Any] = {
        "place": "PK",
        "since": SINCE,
        "until": SINCE + timedelta(days=DAYS),
        "now": NOW,
        "options": OPTIONS,
    }
    return Wanted(**(base | more))


def plan_of(running: Running, web: Web, **more: Any) -> Plan:
    return ooni_fetch.plan(wanted(**more), endpoints(running), web, lambda _done, _all: None)


def get(running: Running, folder: Path, web: Web | None = None, **more: Any) -> Fetched:
    web = web or quick()
    try:
        return fetch(Store(folder, create=True), "ooni", plan_of(running, web, **more), web, NOW)
    finally:
        web.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of facts and verdicts, and every object that was kept."""
    wanted_ = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in wanted_
        if path.suffix == ".parquet" or ("fetched" in path.parts and path.name != "ledger.jsonl")
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run gives in which nothing goes wrong."""
    folder = tmp_path_factory.mktemp("clean") / "store"
    with archives() as running:
        done = get(running, folder)
    assert (done.ingested.new, done.ingested.rejected, done.failed) == (len(MANY), 0, {})
    return contents(folder)


def test_two_hundred_random_faults_end_in_the_store_of_a_clean_run(tmp_path: Path, clean: dict[str, bytes]) -> None:
    seen: set[Kind] = set()
    number = 0
    for seed in (1, 2):
        faults = Faults(seed, 0.5, retry_after=(0,), stall=20, drip=0.05)
        with archives(faults) as running:
            done = get(running, tmp_path / str(seed))
            assert running.max_open <= 4
        assert done.failed == {}
        assert contents(tmp_path / str(seed)) == clean
        seen |= {hit.kind for hit in faults.log}
        number += len(faults.log)
    assert number >= 200
    assert seen >= set(Kind) - {Kind.BAD_JSON, Kind.BAD_RANGE}, "each fault that this way can meet was met"


def test_by_the_api_it_is_the_same_measurements(tmp_path: Path, clean: dict[str, bytes]) -> None:
    faults = Faults(3, 0.2, retry_after=(0,), stall=20, drip=0.05)
    options = OPTIONS | {"via": "api"}
    more: dict[str, Any] = {"service": "x", "hosts": ("x.com",), "tests": ("web_connectivity",), "options": options}
    with archives(faults) as running:
        done = get(running, tmp_path / "store", **more)
        assert (done.ingested.new, done.failed) == (len(MANY), {})
        again = get(running, tmp_path / "store")
    assert (again.ingested.new, again.ingested.known) == (0, len(MANY)), "from the bucket nothing is new"
    assert Kind.BAD_JSON in {hit.kind for hit in faults.log}
    with Store(tmp_path / "store").connect() as db:
        uids = {uid for (uid,) in db.execute("SELECT measurement_uid FROM measurements").fetchall()}
    assert uids == {item["measurement_uid"] for item in MANY}


@pytest.mark.parametrize("layout", ["jsonl", "canned"])
def test_older_layouts(tmp_path: Path, layout: str) -> None:
    since = datetime(2020, 7, 1, tzinfo=UTC)
    items = many(40, since)
    objects = archive.jsonl(items) if layout == "jsonl" else archive.canned(items, most=20_000)
    options = OPTIONS | ({} if layout == "jsonl" else {"layout": "canned"})
    span: dict[str, Any] = {"since": since, "until": since + timedelta(days=DAYS)}
    with archives(objects=objects) as running:
        done = get(running, tmp_path / "store", options=options, **span)
    assert (done.ingested.new, done.ingested.rejected, done.failed) == (40, 0, {})
    assert any(name.endswith(".lz4") for name in objects) == (layout == "canned")


def test_of_two_forms_one_is_fetched_and_tars_that_are_not_packed_are_read(tmp_path: Path) -> None:
    with archives(objects=archive.raw(MANY, most=20, is_packed=False)) as running:
        web = quick()
        names = [one.name for one in plan_of(running, web).objects]
        assert all(name.endswith(".tar.gz") for name in names)
        other = [one.name for one in plan_of(running, web, options=OPTIONS | {"form": "jsonl.gz"}).objects]
        assert [name.replace(".jsonl.gz", ".tar.gz") for name in other] == names
        web.close()
        assert get(running, tmp_path / "store").ingested.new == len(MANY)


def test_running_it_again_asks_for_no_object(tmp_path: Path) -> None:
    with archives() as running:
        get(running, tmp_path / "store")
        before = len(running.requests)
        done = get(running, tmp_path / "store")
        later = [seen.request for seen in running.requests[before:]]
    assert (done.objects, done.ingested.files) == (0, 0)
    assert all("list-type" in request.query for request in later)


def test_what_came_late_is_fetched_and_nothing_else(tmp_path: Path) -> None:
    objects = archive.raw(MANY, most=2)
    late = made(10_000, SINCE + timedelta(hours=5))
    bucket = Bucket(objects)
    with serve(bucket) as running:
        get(running, tmp_path / "store")
        for key, body in archive.raw([late], host="n9").items():
            bucket.put(key, body)
        done = get(running, tmp_path / "store")
    assert (done.objects, done.ingested.new) == (1, 1)


def test_each_object_has_a_receipt(tmp_path: Path) -> None:
    objects = archive.raw(MANY, most=50)
    with archives(objects=objects) as running:
        get(running, tmp_path / "store")
        receipts = Ledger(tmp_path / "store" / "fetched" / "ooni").all()
        assert {one.name for one in receipts} == {name for name in objects if name.endswith(".tar.gz")}
        for one in receipts:
            assert one.sha256 == hashlib.sha256(objects[one.name]).hexdigest()
            assert one.address == f"{running.url}/ooni-data-eu-fra/{one.name}"
            assert (one.fetched_at, one.is_taken, one.size) == (NOW, True, len(objects[one.name]))


def test_a_ledger_whose_last_line_was_cut_off_loses_that_line_only(tmp_path: Path) -> None:
    with archives() as running:
        get(running, tmp_path / "store")
        path = tmp_path / "store" / "fetched" / "ooni" / "ledger.jsonl"
        whole = len(Ledger(path.parent).all())
        path.write_bytes(path.read_bytes()[:-30])
        done = get(running, tmp_path / "store")
    assert (done.objects, done.ingested.new) == (1, 0)
    assert len(Ledger(path.parent).all()) == whole


def test_an_object_that_never_is_what_its_listing_says_is_named_and_left_out(tmp_path: Path) -> None:
    bad = next(name for name in archive.raw(MANY, most=50) if name.endswith(".tar.gz"))

    class Torn(Bucket):
        def __call__(self, request: Request) -> Answer:
            found = super().__call__(request)
            is_bad = request.path.endswith(bad) and isinstance(found.body, bytes)
            return Answer(200, found.headers, found.body[::-1]) if is_bad else found  # type: ignore[index]

    with serve(Torn(archive.raw(MANY, most=50))) as running:
        done = get(running, tmp_path / "store")
    assert list(done.failed) == [bad]
    assert "ETag" in done.failed[bad]
    assert done.ingested.new > 100
    left = [path.name for path in (tmp_path / "store" / "fetched").rglob("*") if bad.rpartition("/")[2] in path.name]
    assert [name for name in left if not name.startswith(".")] == [], "nothing stands there as if it were whole"


def test_a_listing_can_lead_nowhere_else(tmp_path: Path) -> None:
    def app(request: Request) -> Answer:
        prefix = request.query.get("prefix", "")
        key = f"{prefix}../../../../2024021700_PK_webconnectivity.n0.0.tar.gz"
        xml = f"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{key}</Key><Size>1</Size></Contents>"
        return Answer(200, {}, f"{xml}</ListBucketResult>".encode())

    with serve(app) as running:
        web = quick()
        plan = ooni_fetch.plan(wanted(), {"bucket": running.url}, web, lambda _done, _all: None)
        with pytest.raises(NetworkFault, match="not a path of plain names"):
            fetch(Store(tmp_path / "store", create=True), "ooni", plan, web, NOW)
        web.close()
    assert not list(tmp_path.rglob("2024021700*"))


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path, clean: dict[str, bytes]) -> None:
    faults = Faults(4, 0.6, kinds=[Kind.SLOW], most_in_a_row=99, drip=0.3)
    chance = random.Random(4)
    with archives(faults) as running:
        command = ["fetch", "ooni", "--cc", "PK", "--since", f"{SINCE:%Y-%m-%d}", "--until", "2024-02-19"]
        command += ["--store", str(tmp_path / "store"), "--workers", "1"]
        for name, address in endpoints(running).items():
            command += ["--endpoint", f"{name}={address}"]
        run = [sys.executable, "-c", "from kholo.cli import main; main()", *command]
        for _ in range(4):
            with subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(chance.uniform(1.0, 3.0))
                process.send_signal(signal.SIGKILL)
        had = {one.name for one in Ledger(tmp_path / "store" / "fetched" / "ooni").all()}
        before = len(running.requests)
        last = subprocess.run(run, capture_output=True, check=False)
        assert last.returncode == 0, last.stderr
        asked = {seen.request.path.removeprefix("/ooni-data-eu-fra/") for seen in running.requests[before:]}
    assert not asked & had, "what had come was not asked for again"
    facts = {name: data for name, data in contents(tmp_path / "store").items() if "fetched" in name}
    assert facts == {name: data for name, data in clean.items() if "fetched" in name}
    with Store(tmp_path / "store").connect() as db:
        assert db.execute("SELECT count(*), count(DISTINCT measurement_uid) FROM measurements").fetchone() == (300, 300)


def test_a_cut_object_is_resumed_not_begun_anew(tmp_path: Path) -> None:
    body = random.Random(5).randbytes(1 << 20)
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    faults = Faults(1, 1.0, kinds=[Kind.CUT], most_in_a_row=3)
    with serve(Bucket({"a.bin": body}), faults) as running:
        web = quick()
        remote = Remote("a.bin", f"{running.url}/ooni-data-eu-fra/a.bin", len(body), etag)
        receipt = download(web, remote, tmp_path, NOW, lambda _size: None)
        web.close()
        ranges = [seen.request.headers.get("range") for seen in running.requests]
        sent = sum(seen.sent for seen in running.requests)
    assert receipt.sha256 == hashlib.sha256(body).hexdigest()
    assert ranges[0] is None
    assert all(asked and asked.startswith("bytes=") for asked in ranges[1:])
    assert len(ranges) == 4
    assert sent < 1.5 * len(body)


def test_another_range_than_was_asked_for_is_not_put_together(tmp_path: Path) -> None:
    body = random.Random(6).randbytes(200_000)
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    faults = Faults(2, 1.0, kinds=[Kind.CUT, Kind.BAD_RANGE], most_in_a_row=4)
    with serve(Bucket({str(number): body for number in range(12)}), faults) as running:
        web = quick()
        for number in range(12):
            remote = Remote(f"{number}", f"{running.url}/ooni-data-eu-fra/{number}", len(body), etag)
            assert download(web, remote, tmp_path, NOW, lambda _size: None).size == len(body)
            assert (tmp_path / str(number)).read_bytes() == body
        web.close()
    assert {hit.kind for hit in faults.log} == {Kind.CUT, Kind.BAD_RANGE}


def test_it_says_who_it_is_and_waits_as_it_is_asked() -> None:
    answers = iter([Answer(429, {"Retry-After": "7"}), Answer(503), Answer(503), Answer(200, {}, b"{}")])
    waits: list[float] = []
    with serve(lambda _request: next(answers)) as running:
        web = quick(waits)
        assert web.get(running.url, "something") == b"{}"
        web.close()
        assert {seen.request.headers["user-agent"] for seen in running.requests} == {USER_AGENT}
    assert waits[0] == 7.0
    grown = [wait for wait in waits if wait < 5]
    assert 0.5 <= grown[0] <= 1.0 < grown[1] <= 2.0, "twice as long each time, the half of it left to chance"


def test_a_wait_that_is_too_long_is_told() -> None:
    with serve(lambda _request: Answer(429, {"Retry-After": "86400"})) as running:
        web = quick()
        with pytest.raises(NetworkFault, match="asks to wait 1440 minutes"):
            web.get(running.url, "something")
        web.close()
        assert len(running.requests) == 1


@pytest.mark.parametrize(
    ("asked", "date", "seconds"),
    [
        ("120", None, 120.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-5", None, None),
        ("99999999999", None, None),
        (None, None, None),
    ],
)
def test_retry_after(asked: str | None, date: str | None, seconds: float | None) -> None:
    assert retry_after(asked, date) == seconds


def test_a_token_goes_to_its_host_only_and_is_never_told() -> None:
    secret = "s3cr3t-of-a-person"
    with serve(lambda _request: Answer(200, {}, b"there")) as other:
        answers = iter([Answer(307, {"Location": other.url.replace("127.0.0.1", "localhost")}), Answer(403, {}, b"no")])
        with serve(lambda _request: next(answers)) as running:
            web = quick(token=Token(secret, frozenset({"127.0.0.1"}), "SOME_TOKEN"))
            assert web.get(running.url, "something") == b"there"
            with pytest.raises(NetworkFault, match="SOME_TOKEN is refused") as refused:
                web.get(running.url, "something")
            web.close()
            assert all(seen.request.headers["authorization"] == f"Bearer {secret}" for seen in running.requests)
        assert all("authorization" not in seen.request.headers for seen in other.requests)
    assert secret not in str(refused.value)


def test_an_answer_without_end_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kholo.fetch.web.MAX_ANSWER", 1 << 20)

    def app(_request: Request) -> Answer:
        return Answer(200, {}, (b"x" * 65_536 for _ in range(100)))

    with serve(app) as running:
        web = quick()
        with pytest.raises(NetworkFault, match="more than 1048576 bytes"):
            web.get(running.url, "something")
        web.close()


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with archives(objects=archive.raw(MANY, most=50)) as running:
        web = quick()
        plan = plan_of(running, web)
        first = plan.objects[0]
        store = Store(tmp_path / "store", create=True)
        target = tmp_path / "store" / "fetched" / "ooni" / first.name
        target.parent.mkdir(parents=True)
        version = hashlib.sha256(first.etag.encode()).hexdigest()[:12]
        # A device that is always full stands where the object would be written.
        target.with_name(f".{target.name}.{version}.part").symlink_to("/dev/full")
        with pytest.raises(EnvironmentFault, match="the disk is full"):
            fetch(store, "ooni", plan, web, NOW)
        assert not list((tmp_path / "store").rglob("*.part"))
        assert fetch(store, "ooni", plan, web, NOW).ingested.new == len(MANY)
        web.close()


def test_a_fetch_that_the_disk_has_no_room_for_does_not_begin(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    with pytest.raises(EnvironmentFault, match="free some, ask for fewer days"):
        room(store, 1 << 60)
    room(store, 1)


def test_without_keeping_objects_they_are_gone_and_not_fetched_again(tmp_path: Path) -> None:
    with archives(objects=archive.raw(MANY, most=50)) as running:
        web = quick()
        store = Store(tmp_path / "store", create=True)
        plan = plan_of(running, web)
        assert fetch(store, "ooni", plan, web, NOW, keep=False).ingested.new == len(MANY)
        assert not list((tmp_path / "store").rglob("*.tar.gz"))
        assert due(store, "ooni", plan).fetch == ()
        web.close()


def run_cli(*more: str, store: Path, running: Running | None = None) -> subprocess.CompletedProcess[bytes]:
    places = [f"--endpoint={name}={address}" for name, address in endpoints(running).items()] if running else []
    return kholo("fetch", "ooni", *more, "--store", store, *places)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--cc", "PAK", "--since", "2024-02-17"], "is no country's code"),
        (["--cc", "pakistn", "--since", "2024-02-17"], "is it PK?"),
        (["--cc", "PK", "--service", "twiter", "--since", "2024-02-17"], "not in the registry"),
        (["--cc", "PK", "--since", "2999-01-01"], "lies in the future"),
        (["--cc", "PK", "--since", "2024-02-17", "--until", "2024-02-01"], "lies before --since"),
        (["--cc", "PK", "--since", "2024-02-17", "--network", "17557"], "such as AS17557"),
        (["--cc", "PK", "--since", "2024-02-17", "--endpoint", "ftp://example.org"], "was expected"),
        (["--cc", "PK", "--since", "2024-02-17", "--via", "api"], "--via api needs --service"),
        (["--cc", "PK"], "--since"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path: Path, given: list[str], said: str) -> None:
    done = run_cli(*given, store=tmp_path / "store")
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert not list(tmp_path.rglob("*.parquet"))


def test_no_network_is_a_sentence(tmp_path: Path) -> None:
    done = kholo(
        "fetch", "ooni", "--cc", "PK", "--since", "2024-02-17", "--until", "2024-02-17", "--via", "bucket",
        "--store", tmp_path / "store", "--endpoint", "bucket=http://127.0.0.1:9/b",
    )  # fmt: skip
    assert done.returncode == 3
    assert "can't be reached; is there a network?" in done.stderr.decode()


def test_a_dry_run_says_how_much_and_fetches_nothing(tmp_path: Path) -> None:
    with archives() as running:
        span = ["--cc", "pk", "--since", "2024-02-17", "--until", "2024-02-19", "--service", "x"]
        done = run_cli(*span, "--dry-run", "--json", store=tmp_path / "store", running=running)
        assert done.returncode == 0, done.stderr
        estimate = msgspec.json.decode(done.stdout)["estimate"]
        assert estimate["objects"] > 100
        assert estimate["bytes"] > 0
        assert not any(".gz" in seen.request.path for seen in running.requests)


def test_more_than_a_gibibyte_is_asked_for(tmp_path: Path) -> None:
    def app(request: Request) -> Answer:
        name = f"{request.query['prefix']}webconnectivity/2024021700_PK_webconnectivity.n0.0.tar.gz"
        xml = f"<ListBucketResult><Contents><Key>{name}</Key><Size>{1 << 29}</Size></Contents></ListBucketResult>"
        return Answer(200, {}, xml.encode())

    with serve(app) as running:
        span = ["--cc", "PK", "--since", "2024-02-17", "--until", "2024-02-17"]
        done = run_cli(*span, store=tmp_path / "store", running=running)
    assert done.returncode == 2
    assert "say --yes, or ask for fewer days" in done.stderr.decode()


def test_a_store_that_follows_catches_up_and_late_measurements_reach_their_incident(tmp_path: Path) -> None:
    store = tmp_path / "store"
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    # Blocked from the middle of the first day on; the archive gets the beginning of it last.
    items = many(240, today - timedelta(days=5), blocked_after=40)
    bucket = Bucket(archive.raw(items[:40] + items[80:120], most=50))
    with serve(bucket) as running:
        first = run_cli(
            "--cc", "PK", "--since", f"{today - timedelta(days=6):%Y-%m-%d}", "--via", "bucket", "--follow",
            "--until", f"{today - timedelta(days=4):%Y-%m-%d}", store=store, running=running,
        )  # fmt: skip
        assert first.returncode == 0, first.stderr
        assert [seen.request.query.get("prefix", "") for seen in running.requests if seen.request.query]
        kholo("watch", "--store", store)
        # The late ones are uploaded now, whenever they were measured.
        late = [item | {"measurement_uid": f"{today:%Y%m%d%H}" + item["measurement_uid"][10:]} for item in items[40:80]]
        for key, body in archive.raw(late + items[120:], most=50).items():
            bucket.put(key, body)
        watched = kholo("watch", "--store", store, "--fetch", "--json")
        assert watched.returncode == 0, watched.stderr
        again = kholo("watch", "--store", store, "--fetch", "--json")
        assert (again.returncode, again.stdout) == (0, b"")
    with Store(store).connect() as db:
        found = list(rows(db.execute("SELECT count(DISTINCT measurement_uid) AS n FROM measurements")))
    assert found == [{"n": 240}]
    incidents = kholo("incidents", "--store", store, "--json")
    (incident,) = [msgspec.json.decode(line) for line in incidents.stdout.splitlines()]
    earliest, latest = (datetime.fromisoformat(incident["onset"][end]) for end in ("earliest", "latest"))
    began, seen_first = (datetime.fromisoformat(items[n]["measurement_start_time"] + "Z") for n in (40, 80))
    assert earliest <= began <= latest < seen_first, "the late ones moved its beginning to where it was"


def test_a_followed_source_that_can_not_be_reached_is_told_and_left_for_later(tmp_path: Path) -> None:
    store = tmp_path / "store"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    with archives() as running:
        done = run_cli("--cc", "PK", "--since", today, "--follow", "--via", "bucket", store=store, running=running)
        assert done.returncode == 0, done.stderr
    watched = kholo("watch", "--store", store, "--fetch")
    assert watched.returncode == 1
    assert "looked for again at the next run" in watched.stderr.decode()
