"""`kholo serve` as a client meets it: real processes, real sockets on the loopback."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema
import msgspec
import pytest

from kholo.cli.serve import serve as command
from kholo.pipeline.cases import assessed, view
from kholo.pipeline.events import events
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import of_views
from kholo.pipeline.verdicts import Filter, judged, select
from kholo.publish.build import site_files
from kholo.publish.language import language
from kholo.publish.told import prose
from kholo.serve import Sources, refresh
from kholo.serve.apidoc import page
from kholo.serve.openapi import document
from kholo.serve.problems import KINDS
from kholo.serve.read import Index, span_of
from kholo.serve.resources import RESOURCES, Resource
from kholo.store import Store

from . import raw
from .commands import COMMAND
from .pages import latin_left
from .serving import Server, free_port, kholo, served

ROOT = Path(__file__).parents[1]
HOSTILE = '=HYPERLINK("https://evil.example")<script>alert(1)</script>\u202e\u200b&'
HOSTILE_UID = "20240217180000.000001_PK_webconnectivity_0123456789abcdef"
API = "/api/v1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the simulated country and one hostile real measurement."""
    place = tmp_path_factory.mktemp("serve")
    kholo("simulate", "demo", "--out", place / "demo.jsonl.gz")
    line = raw.measurement(measurement_uid=HOSTILE_UID) | {"input": f"https://x.com/{HOSTILE}"}
    (place / "hostile.json").write_bytes(raw.encode(line))
    kholo("ingest", place / "demo.jsonl.gz", place / "hostile.json", "--store", place / "store")
    return place


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with served("--store", folder / "store", "--cases", ROOT / "cases", "--rate", "0") as running:
        yield running


def plain(rows: Any) -> Any:
    return json.loads(msgspec.json.encode(rows))


def test_verdicts_are_those_of_the_command(server: Server, folder: Path) -> None:
    store = Store(folder / "store")
    with judged(store, judge_for(store)) as db:
        rows = plain(list(select(db, Filter(state="blocked"))))
    walked = list(server.walk(f"{API}/verdicts?simulated=true&state=blocked&limit=97"))
    assert [row["measured_at"] for row in walked] == sorted(row["measured_at"] for row in walked)
    assert sorted(walked, key=lambda row: (row["measured_at"], row["measurement_uid"])) == [
        row for row in rows if row["simulated"]
    ]
    newest = list(server.walk(f"{API}/verdicts?simulated=true&state=blocked&limit=1000&order=desc"))
    assert newest == walked[::-1]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("network=as64500", lambda row: row["network"] == "AS64500"),
        ("service=chirp&place=zz", lambda row: (row["service"], row["place"]) == ("chirp", "ZZ")),
        ("vantage=remote", lambda row: False),
        (
            "since=2025-03-10&until=2025-03-11T12:00:00Z",
            lambda row: "2025-03-10" <= row["measured_at"] < "2025-03-11T12",
        ),
    ],
)  # fmt: skip
def test_filters(server: Server, query: str, fits: Any) -> None:
    everything = list(server.walk(f"{API}/verdicts?simulated=true&limit=1000"))
    assert list(server.walk(f"{API}/verdicts?simulated=true&{query}&limit=333")) == list(filter(fits, everything))


def test_incidents_days_and_cases_are_those_of_the_commands(server: Server, folder: Path) -> None:
    store = Store(folder / "store")
    seen = events(store, judge_for(store), Filter())
    incidents = list(server.walk(f"{API}/incidents?simulated=true"))
    assert incidents == plain(sorted(seen.incidents, key=lambda one: one.incident_id))
    assert incidents
    for one in incidents:
        assert server.get(f"{API}/incidents/{one['incident_id']}").json() == one
        moved = re.sub(r"\d{6}$", "202504", one["incident_id"])
        assert server.get(f"{API}/incidents/{moved}").status == 200
    days = list(server.walk(f"{API}/days?simulated=true&limit=50"))
    assert sorted(days, key=str) == sorted(plain([day for day in seen.days if day.simulated]), key=str)
    found = assessed(ROOT / "cases" / "x-pakistan-2024", store, judge_for(store), datetime.now(UTC))
    case = f"{API}/cases/x-pakistan-2024"
    for name, rows in (("assessments", found.assessments), ("clocks", found.clocks), ("entries", found.case.entries)):
        got = list(server.walk(f"{case}/{name}?limit=7"))
        shown = [{key: value for key, value in row.items() if key != "file"} for row in plain(rows)]
        assert got == [row | {"case": "x-pakistan-2024", "simulated": False} for row in shown]
    assert server.get(case).json()["entries"] == len(found.case.entries)


def test_real_and_simulated_never_stand_in_one_answer(server: Server) -> None:
    for name in ("verdicts", "incidents", "days", "cases", "services", "networks", "signals"):
        for flag in (False, True):
            got = server.get(f"{API}/{name}?simulated={str(flag).lower()}").json()
            assert got["simulated"] is flag
            assert all(row["simulated"] is flag for row in got["data"])
        assert server.get(f"{API}/{name}").json()["simulated"] is False
    assert server.get(f"{API}/cases/zz-simulated/clocks").json()["simulated"] is True


def test_a_verdict_tells_how_it_came_about(server: Server) -> None:
    row = next(server.walk(f"{API}/verdicts?simulated=true&state=blocked&limit=1"))
    told = server.get(f"{API}/verdicts/{row['measurement_uid']}").json()
    (story,) = told.pop("stories")
    assert told == row == story["verdict"]
    assert story["probe"]
    assert story["rule"] == row["rule_id"]


def test_hostile_text_comes_out_harmless(server: Server) -> None:
    (row,) = server.walk(f"{API}/verdicts")
    assert row["input"] == f"https://x.com/{HOSTILE}"
    for target in (f"{API}/verdicts", f"{API}/verdicts?format=jsonl", f"{API}/verdicts/{HOSTILE_UID}"):
        body = server.get(target).body.decode()
        assert "\\u003cscript" in body
        assert not set(body) & set("<>&\u202e\u200b")
    table = server.get(f"{API}/verdicts?format=csv").body.decode()
    assert not set(table) & set("\u202e\u200b")
    (cells,) = csv.DictReader(io.StringIO(table))
    assert cells["measurement_uid"] == HOSTILE_UID
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells.values())


def test_what_is_asked_comes_back_harmless(server: Server) -> None:
    got = server.get(f"{API}/verdicts?%3Cscript%3E%E2%80%AE=1")
    assert got.status == 400
    assert got["Content-Type"] == "application/problem+json"
    assert not set(got.body.decode()) & set("<>&\u202e")


def test_formats(server: Server) -> None:
    target = f"{API}/cases/x-pakistan-2024/entries"
    rows = server.get(target).json()["data"]
    lines = server.get(f"{target}?format=jsonl", Accept="text/csv")
    assert lines["Content-Type"] == "application/jsonl"
    assert [json.loads(line) for line in lines.body.splitlines()] == rows
    table = server.get(target, Accept="text/csv")
    assert table["Content-Type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert [row["id"] for row in read] == [row["id"] for row in rows]
    assert json.loads(read[0]["sources"])[0]["address"] == rows[0]["sources"][0]["address"]
    following = server.get(f"{target}?format=csv&limit=1")["Link"]
    assert 'rel="next"' in following
    assert server.get(following[1 : following.index(">")]).body.decode().splitlines()[1].startswith(rows[1]["id"])
    assert server.get(target, Accept="image/png").status == 406
    assert server.get(f"{API}/cases/x-pakistan-2024", Accept="text/csv").status == 406


@pytest.mark.parametrize("target", ["/", f"{API}/verdicts?simulated=true", f"{API}/cases", f"{API}/openapi.json"])
def test_conditions_and_packing(server: Server, target: str) -> None:
    whole, small = server.get(target), server.get(target, Accept_Encoding="gzip, identity;q=0.5")
    assert small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.body) == whole.body
    assert whole["ETag"] != small["ETag"]
    assert "Accept-Encoding" in whole["Vary"]
    for tag in (whole["ETag"], f"W/{whole['ETag']}", f'"x", {whole["ETag"]}', "*"):
        again = server.get(target, If_None_Match=tag)
        assert (again.status, again.body, again["ETag"]) == (304, b"", whole["ETag"])
    assert server.get(target, If_None_Match='"other"').body == whole.body
    head = server.get(target, "HEAD")
    assert (head.status, head.body, head["Content-Length"]) == (200, b"", str(len(whole.body)))
    since = whole["Last-Modified"]
    assert server.get(target, If_Modified_Since=since).status == 304
    assert server.get(target, If_Modified_Since=since, If_None_Match='"other"').status == 200
    assert server.get(target, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 200
    assert server.get(target, If_Modified_Since="yesterday").status == 200


def test_headers_that_protect(server: Server) -> None:
    for target in ("/", f"{API}/cases", "/nothing", f"{API}/verdicts?limit=0"):
        got = server.get(target)
        assert got["X-Content-Type-Options"] == "nosniff"
        assert "script-src" not in got["Content-Security-Policy"]
        assert "Set-Cookie" not in got.headers
    assert server.get(f"{API}/cases", Origin="https://a.example")["Access-Control-Allow-Origin"] == "*"
    preflight = server.get(f"{API}/cases", "OPTIONS", Origin="https://a.example", Access_Control_Request_Method="GET")
    assert preflight.status == 204
    assert "GET" in preflight["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        (f"{API}/verdicts?limit=0", "GET", 400), (f"{API}/verdicts?limit=1001", "GET", 400),
        (f"{API}/verdicts?limit=%D9%A1", "GET", 400), (f"{API}/verdicts?since=yesterday", "GET", 400),
        (f"{API}/verdicts?since=0001-01-01T00:00:00%2B14:00", "GET", 400), (f"{API}/verdicts?state=open", "GET", 400),
        (f"{API}/verdicts?cursor=AAAA", "GET", 400), (f"{API}/verdicts?place=PK&place=ZZ", "GET", 400),
        (f"{API}/verdicts?place=%ff", "GET", 400), (f"{API}/verdicts?a", "GET", 400), (f"{API}/verdicts?;", "GET", 400),
        (f"{API}/nothing", "GET", 404), (f"{API}", "GET", 404), ("/api/", "GET", 404), ("/nothing/", "GET", 404),
        (f"{API}/cases/nothing", "GET", 404), (f"{API}/cases/nothing/clocks", "GET", 404), ("/%ff", "GET", 404),
        (f"{API}/cases/../cases", "GET", 404), (f"{API}/verdicts/%00", "GET", 404),
        ("/..%2f..%2fcurrent.json", "GET", 404),
        ("/../current.json", "GET", 404), ("/%2e%2e/current.json", "GET", 404), ("//", "GET", 404),
        (f"{API}/cases", "POST", 405), ("/", "DELETE", 405), (f"{API}/cases", "TRACE", 405),
        (f"{API}/verdicts?service={'x' * 3_000}", "GET", 414),
    ],
)  # fmt: skip
def test_what_can_not_be_answered_is_a_problem(server: Server, target: str, method: str, status: int) -> None:
    got = server.get(target, method)
    assert got.status == status
    assert got["Content-Type"] == "application/problem+json"
    told = got.json()
    assert told["status"] == status
    meant = server.get(told["type"])
    assert meant.json()["status"] == status
    assert (status == 405) == ("Allow" in got.headers)


@pytest.mark.parametrize("one", [one for one in RESOURCES if one.is_list and "{" not in one.path])
def test_every_parameter_takes_its_example(server: Server, one: Resource) -> None:
    examples = {param.name: param.example for param in one.params if param.name != "cursor"}
    for name, example in examples.items():
        assert server.get(f"{one.path}?{name}={example}").status == 200
    assert server.get(f"{one.path}?{urlencode(examples)}").status == 200


def test_a_cursor_is_refused_with_other_filters(server: Server) -> None:
    following = server.get(f"{API}/verdicts?simulated=true&limit=1").json()["next"]
    assert server.get(following).status == 200
    assert server.get(f"{following}&state=ok").status == 400
    assert server.get(following.replace("simulated=true", "simulated=false")).status == 400
    assert server.get(following.replace("limit=1", "limit=9")).status == 200


def test_answers_hold_to_the_document(server: Server) -> None:
    told = server.get(f"{API}/openapi.json").json()
    assert told == plain(document())
    for path, item in told["paths"].items():
        if "{" in path or path.endswith((".json", "/")):
            continue
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        checker = jsonschema.Draft202012Validator({**schema, "components": told["components"]})
        names = [param["name"] for param in item["get"]["parameters"]]
        for query in ("?limit=1000", "?limit=1000&simulated=true") if "simulated" in names else ("?limit=1000",):
            checker.validate(server.get(f"{path}{query}").json())


def test_the_page_of_the_documentation_is_made_from_the_same() -> None:
    assert (ROOT / "docs" / "api.md").read_text() == page()
    for kind in KINDS.values():
        assert f"`{kind.name}`" in page()


def test_any_measurement_and_incident_of_the_store_has_a_page(server: Server, folder: Path) -> None:
    site = folder / "store" / "served" / "site"
    uid = next(
        row["measurement_uid"]
        for row in server.walk(f"{API}/verdicts?simulated=true&state=blocked&limit=50")
        if not (site / "en" / "measurements" / row["measurement_uid"]).exists()
    )
    for code, words, title in (
        ("en", "What the probe saw, step by step", "Chirp in Zedland, 2025"),
        ("ur", language("ur").say("Why the rule decided so"), "زیڈ لینڈ میں چرپ"),
    ):
        got = server.get(f"/{code}/measurements/{uid}/", Accept_Encoding="gzip")
        text = gzip.decompress(got.body).decode()
        assert (got.status, got["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert words in text
        assert title in text, "a case of the same service and country"
        assert code == "en" or latin_left(text) == []
        assert f'<html lang="{code}"' in text
        assert prose(language(code).say("SIMULATED DATA. Nothing on this page happened."), language(code)) in text
        again = server.get(f"/{code}/measurements/{uid}/", Accept_Encoding="gzip", If_None_Match=got["ETag"])
        assert (again.status, again.body) == (304, b"")
    assert server.get(f"/en/measurements/{uid}")["Location"] == f"{uid}/"
    hostile = server.get(f"/en/measurements/{HOSTILE_UID}/").body.decode()
    assert hostile.count("<script") == 1, "the site's own"
    assert "\u202e" not in hostile
    assert "SIMULATED" not in hostile
    incidents = [row["incident_id"] for row in server.walk(f"{API}/incidents?simulated=true")]
    assert incidents
    for name in incidents:
        page = server.get(f"/ur/incidents/{name}/").body.decode()
        assert name in page
        assert latin_left(page) == []
        assert '<li><span lang="en"' not in page, "what was looked at stands there in Urdu"


def test_no_sentence_of_a_case_is_left_in_english_on_its_urdu_pages(folder: Path) -> None:
    store = Store(folder / "store")
    judge = judge_for(store)
    seen = view(ROOT / "cases" / "zz-simulated", store, judge, datetime(2026, 11, 24, tzinfo=UTC))
    made = of_views([seen], store, judge, languages=[language("en"), language("ur")])
    pages = {name: content.decode() for name, content in site_files(made) if name.startswith("ur/")}
    assert any(name.startswith("ur/measurements/") for name in pages)
    for name, text in pages.items():
        assert latin_left(text) == [], name
        assert re.search(r'<li><span lang="en" dir="auto">(?!\[Simulated\])', text) is None, name


def test_where_there_is_no_page_a_reader_is_told_in_the_language_of_the_address(server: Server) -> None:
    for address, code in (
        ("/ur/nothing/", "ur"),
        ("/en/measurements/none/", "en"),
        ("/ur/incidents/none/", "ur"),
        ("/x", "en"),
    ):
        got = server.get(address, Accept="text/html,*/*")
        assert got.status == 404
        assert f'<html lang="{code}"' in got.body.decode()
        assert language(code).say("There is no page here") in got.body.decode()
        assert "default-src" in got["Content-Security-Policy"]
    assert server.get("/ur/nothing/").json()["status"] == 404


def test_the_front_page_is_in_the_language_that_is_asked_for(server: Server) -> None:
    for wish in ("ur", "ur-PK,ur;q=0.9,en;q=0.8", "de,ur;q=0.5,en;q=0.1"):
        got = server.get("/", Accept_Language=wish)
        assert (got.status, got["Location"]) == (302, "ur/")
        assert "Accept-Language" in got["Vary"]
    for wish in ("", "en", "de", "en,ur;q=0.9", "ur;q=0", "ur;q=nan", "ur;q=x", ",;=,"):
        assert server.get("/", Accept_Language=wish).body == server.get("/index.html").body, wish


def test_pages_are_the_files_of_the_site(server: Server, folder: Path) -> None:
    site = folder / "store" / "served" / "site"
    for path in site.rglob("*"):
        if path.is_file():
            assert server.get(f"/{path.relative_to(site)}").body == path.read_bytes()
    moved = server.get("/en/cases/x-pakistan-2024")
    assert (moved.status, moved["Location"]) == (301, "x-pakistan-2024/")
    page = site / "en" / "cases" / "x-pakistan-2024" / "index.html"
    assert server.get("/en/cases/x-pakistan-2024/").body == page.read_bytes()


def test_broken_requests_and_slow_ones_hold_nobody_up(server: Server) -> None:
    for data in (
        b"\x00\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v1/ HTTP/1.1\r\nA:" + b"a" * 99_999,
    ):
        assert b" 500 " not in server.send(data).split(b"\r\n")[0]
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(200)]
    for line in slow:
        line.sendall(b"GET /api/v1/cases HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    assert server.get(f"{API}/cases").status == 200
    for line in slow:
        line.close()


def test_a_client_that_asks_too_much_waits() -> None:
    with served("--cases", ROOT / "cases", "--rate", "1") as running:
        answers = [running.get(f"{API}/services") for _ in range(30)]
        told = next(one for one in answers if one.status == 429)
        assert int(told["Retry-After"]) >= 1
        assert told.json()["type"].endswith("too-many-requests")
        assert answers[0]["X-RateLimit-Limit"] == "10"
        assert answers[0]["RateLimit-Policy"] == '"requests";q=10;w=10'
        assert answers[0]["RateLimit"].startswith('"requests";r=9;')


def test_new_parts_are_seen_and_a_walk_goes_on_as_it_began(tmp_path: Path) -> None:
    def add(number: int, hour: int) -> None:
        uid = f"20240217180000.{number:06}_PK_webconnectivity_0123456789abcdef"
        moment = f"2024-02-17 {hour:02}:00:00"
        line = raw.measurement(measurement_uid=uid, measurement_start_time=moment)
        (tmp_path / f"{number}.json").write_bytes(raw.encode(line))
        kholo("ingest", tmp_path / f"{number}.json", "--store", tmp_path / "store")

    for number in range(3):
        add(number, 10 + number)
    with served("--store", tmp_path / "store", "--rate", "0", "--every", "0.2") as running:
        first = running.get(f"{API}/verdicts?limit=1")
        add(3, 9)
        add(4, 11)
        deadline = time.monotonic() + 120
        while len(list(running.walk(f"{API}/verdicts"))) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert running.get(f"{API}/verdicts?limit=1")["ETag"] != first["ETag"]
        walked = [*first.json()["data"], *running.walk(first.json()["next"])]
        assert [row["measured_at"][11:13] for row in walked] == ["10", "11", "12"]


def test_a_case_that_breaks_while_it_is_served_leaves_what_was_served(tmp_path: Path) -> None:
    case = tmp_path / "case"
    shutil.copytree(ROOT / "cases" / "zz-simulated", case)
    text = (case / "case.toml").read_text()
    with served("--cases", case, "--rate", "0", "--every", "0.2") as running:
        title = running.get(f"{API}/cases/zz-simulated").json()["title"]
        (case / "case.toml").write_text("title = ")
        assert running.process.stdout is not None
        assert "as before" in running.process.stdout.readline()
        assert running.get(f"{API}/cases/zz-simulated").json()["title"] == title
        (case / "case.toml").write_text(text.replace(title, "Another title"))
        deadline = time.monotonic() + 120
        while running.get(f"{API}/cases/zz-simulated").json()["title"] != "Another title":
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_part_that_is_gone_is_served_no_more(tmp_path: Path) -> None:
    for number in (1, 2):
        uid = f"20240217180000.{number:06}_PK_webconnectivity_0123456789abcdef"
        (tmp_path / f"{number}.json").write_bytes(raw.encode(raw.measurement(measurement_uid=uid)))
        kholo("ingest", tmp_path / f"{number}.json", "--store", tmp_path / "store")
    sources = Sources(tmp_path / "served", tmp_path / "store")
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    index = Index(sources.folder)
    everything = span_of(None, None, newest_first=False)
    for left in (2, 1):
        current = refresh(sources, moment)
        assert len(index.verdicts(current, {"simulated": False}, everything, 9).rows) == left
        store = Store(tmp_path / "store")
        shutil.rmtree(store.parts / store.part_ids()[0])


def test_no_address_of_a_client_is_written(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder / "store", tmp_path / "store")
    with served("--store", tmp_path / "store", "--behind-proxy", "--rate", "100") as running:
        for number in range(20):
            running.get(f"{API}/cases", X_Forwarded_For=f"10.1.1.1, 203.0.113.{number}")
        running.get(f"{API}/nothing", X_Forwarded_For="203.0.113.77")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"203.0.113.77" not in path.read_bytes()


def test_one_server_a_store(server: Server, folder: Path) -> None:
    command = [*COMMAND, "serve", "--store", str(folder / "store"), "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "another kholo serve runs" in done.stderr


def test_the_same_store_makes_the_same_facts_and_nothing_twice(tmp_path: Path, folder: Path) -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    made = []
    for name in ("one", "other"):
        sources = Sources(tmp_path / name, folder / "store", (ROOT / "cases" / "zz-simulated",))
        made.append(refresh(sources, moment))
        assert refresh(sources, moment) == made[-1]
    assert made[0] == made[1]


def test_help_has_examples() -> None:
    assert "kholo serve --cases" in (command.epilog or "")


def test_memory_is_flat_over_many_requests(server: Server) -> None:
    def rss() -> int:
        lines = [line for pid in server.workers() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    rows = list(server.walk(f"{API}/verdicts?simulated=true&limit=1000"))
    targets = [f"{API}/verdicts?simulated=true&limit={1 + n % 50}&since=2025-03-{1 + n % 28:02}" for n in range(500)]
    targets += [f"{API}/verdicts?simulated=true&service=none{n}&limit=5" for n in range(500)]
    targets += [f"{API}/cases/x-pakistan-2024/entries?format=csv", "/", f"{API}/nothing"]

    def ask(count: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for number in range(count):
            line.request("GET", targets[number % len(targets)])
            line.getresponse().read()
        line.close()

    assert rows
    ask(5_000)
    before = rss()
    ask(20_000)
    assert rss() < before + 40_000
