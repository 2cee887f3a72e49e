"""The site that `kholo serve` makes is the one that `kholo build` makes; and the pages that only a live one has."""

from __future__ import annotations

import gzip
import html
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import brotli
import msgspec
import pytest

from kholo.evidence import append, keys, log
from kholo.model import Incident
from kholo.publish.language import language
from kholo.serve.around import days, proofs
from kholo.serve.kept import Kept
from kholo.serve.live import LivePages
from kholo.serve.pack import CODINGS, in_codings, wanted
from kholo.serve.pages import FolderPages, Page
from kholo.serve.query import Reader
from kholo.serve.read import Index
from kholo.store import Store

from . import raw
from .serving import Server, kholo, served
from .tlogs import SIGNER, dossier, made

ROOT = Path(__file__).parents[1]
CASE = "zz-simulated"
API = "/api/v1"
UID = "20250317180000.000001_PK_webconnectivity_0123456789abcdef"
SLOW = "Its transfer was far slower than usual"
MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, the invented case with few entries, its dossiers, their log, and a key."""
    place = tmp_path_factory.mktemp("given")
    shutil.copytree(ROOT / "cases" / CASE, place / CASE, ignore=shutil.ignore_patterns("z2*", "z[5-9]*"))
    kholo("simulate", "demo", "--out", place / "demo.jsonl.gz")
    (place / "real.json").write_bytes(raw.encode(raw.measurement(measurement_uid=UID)))
    kholo("ingest", place / "demo.jsonl.gz", place / "real.json", "--store", place / "store")
    (place / "dossiers").mkdir()
    shelf = made(place / "log")
    for number in (1, 2):
        path = place / "dossiers" / f"d{number}.zip"
        statement = dossier(path, number, CASE)
        append.append(shelf, [SIGNER], [append.New(statement, log.digest(path.read_bytes()))])
    (place / "me.pub").write_text(keys.new_private(b"\3" * 32).public.line + "\n")
    return place


def options(given: Path) -> list[str | Path]:
    return [
        "--store", given / "store", "--as-of", "2026-01-02T03:04", "--sqlite", "--dossiers", given / "dossiers",
        "--log", given / "log", "--address", "https://example.org", "--key", given / "me.pub", "--key-name", "The desk",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def server(given: Path) -> Iterator[Server]:
    with served("--cases", given / CASE, "--rate", "0", *options(given)) as running:
        yield running


@pytest.fixture(scope="module")
def site(given: Path) -> Path:
    """The folder of the pages that are served."""
    return given / "store" / "served" / "site"


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_serves_what_the_other_command_builds(server: Server, given: Path, site: Path, tmp_path: Path) -> None:
    kholo("build", given / CASE, "--out", tmp_path / "site", *options(given))
    built = tree(tmp_path / "site")
    assert tree(site) == built
    for name in ("dossiers/zz-simulated.zip", "log/checkpoint", "data/kholo.sqlite", "data/key.pub", "sitemap.xml",
                 "assets/nastaliq.woff2", "assets/cards/ur/zz-simulated/case.png"):  # fmt: skip
        assert name in built
    for name, content in built.items():
        got = server.get(f"/{name}")
        assert (got.status, got.body) == (200, content), name
        assert got["Last-Modified"] != "None"


def test_a_site_that_is_built_already_takes_no_options_for_building(given: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with pytest.raises(AssertionError, match="made already"):
        kholo("serve", "--site", tmp_path / "site", "--key", given / "me.pub")


def stray(server: Server, site: Path) -> str:
    """A measurement that no page of the build is of."""
    return next(
        str(row["measurement_uid"])
        for row in server.walk(f"{API}/verdicts?simulated=true&state=blocked&service=chirp&since=2025-03-20&limit=50")
        if not (site / "en" / "measurements" / row["measurement_uid"]).exists()
    )


def links(server: Server, address: str) -> dict[str, int]:
    """Where the links of a page lead, below the root, and whether something is there."""
    text = server.get(address).body.decode()
    steps = address.count("/") - 1
    found = {link for link in re.findall(r'(?:href|src)="((?:\.\./)+[^"#]*)', text) if link.count("../") == steps}
    return {link: server.get("/" + link.replace("../", "")).status for link in found}


def test_a_live_page_leads_to_the_pages_of_the_build_and_looks_like_them(server: Server, site: Path) -> None:
    uid = stray(server, site)
    verdict = server.get(f"{API}/verdicts/{uid}").json()
    for code in ("en", "ur"):
        found = links(server, f"/{code}/measurements/{uid}/")
        assert set(found.values()) == {200}
        below = {link.replace("../", "") for link in found}
        for path in (f"networks/{verdict['network']}", "countries/zz", "services/chirp", "cases/zz-simulated"):
            assert f"{code}/{path}/index.html" in below
        assert any(path.startswith(f"{code}/incidents/chirp-ZZ") for path in below)
    text = server.get(f"/ur/measurements/{uid}/").body.decode()
    for part in ("The desk", "nastaliq.woff2", language("ur").moment(MOMENT)):
        assert part in text
    lone = server.get(f"/en/measurements/{UID}/").body.decode()
    assert "stands in no case of this site" in lone
    assert "/networks/AS" not in lone


def test_a_live_incident_shows_the_proofs_that_a_page_of_a_case_shows(server: Server, given: Path, site: Path) -> None:
    index = Index(given / "store" / "served")
    rows = [msgspec.convert(row, Incident) for row in server.walk(f"{API}/incidents?simulated=true")]
    static = [one for one in rows if (site / "en" / "incidents" / one.incident_id / "index.html").exists()]
    assert static
    for one in static:
        page = (site / "en" / "incidents" / one.incident_id / "index.html").read_text()
        shown = re.findall(r"<code>kholo explain ([^<]+)</code>", page)
        assert shown
        assert [row.measurement_uid for row in proofs(index, index.current(), one).verdicts] == shown


def without_a_build(given: Path) -> LivePages:
    """Pages of the store that are all made when they are asked for, as there is no folder of a build."""
    return LivePages(FolderPages(given / "nothing"), Reader(Index(given / "store" / "served"), Store(given / "store")))


def text_of(pages: LivePages, path: str) -> str:
    found = pages.page(path)
    assert isinstance(found, Page)
    return found.body.decode()


def test_a_measurement_of_a_slow_stretch_says_so_as_the_page_of_a_build_does(
    given: Path, server: Server, site: Path
) -> None:
    index = Index(given / "store" / "served")
    slow = {key for key, _ in index.facts(index.current(), "slow", "simulated", {}, 10_000)}
    pages = without_a_build(given)
    built = {path.parent.name: path.read_text() for path in (site / "en" / "measurements").glob("*/index.html")}
    said = {uid: SLOW in text for uid, text in built.items()}
    assert set(said.values()) == {True, False}
    assert said == {uid: SLOW in text_of(pages, f"/en/measurements/{uid}/") for uid in built}
    alone = sorted(slow - set(built))
    assert alone
    assert SLOW in server.get(f"/en/measurements/{alone[0]}/").body.decode()


def rows(page: str) -> list[tuple[str, ...]]:
    """The table behind the calendar of a page."""
    (table,) = re.findall(r'<h2 id="calendar">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>', table)


def test_an_incident_has_the_calendar_that_the_page_of_a_build_has(given: Path, server: Server, site: Path) -> None:
    pages = without_a_build(given)
    for path in (site / "en" / "incidents").glob("chirp-*/index.html"):
        page = text_of(pages, f"/en/incidents/{path.parent.name}/")
        # A case has days before which nothing of it counts; the other page has some weeks before the incident.
        mine = [row for row in rows(page) if row[2] != "nothing measured"]
        assert mine == [row for row in rows(path.read_text()) if row[2] != "nothing measured"]
        assert len(mine) > 1
        assert page.count("SIMULATED DATA. Nothing here happened.") == 2, "in the picture for each size"
        (link,) = re.findall(r'href="[./]*(/api/v1/days\?[^"]*)"', page)
        assert "place=ZZ&amp;simulated=true&amp;since=2025-0" in link
        assert server.get(html.unescape(link)).body.startswith(b"service,place,network,day,state")


def test_a_calendar_has_no_days_to_come(given: Path, server: Server) -> None:
    index = Index(given / "store" / "served")
    one = msgspec.convert(next(server.walk(f"{API}/incidents?simulated=true&state=throttled")), Incident)
    for changed, last in ((MOMENT, date(2025, 5, 13)), (datetime(2025, 4, 10, 12, tzinfo=UTC), date(2025, 4, 10))):
        found = days(index, msgspec.structs.replace(index.current(), changed=changed), one)
        assert (found.window[1], {row.network for row in found.days}) == (last, set(one.networks))
        assert all(found.window[0] <= row.day <= last for row in found.days)


def test_live_pages_are_kept_and_conditional(server: Server, site: Path) -> None:
    address = f"/en/measurements/{stray(server, site)}/"
    first = server.get(address)
    again = server.get(address, If_None_Match=first["ETag"])
    assert (again.status, again.body, again["ETag"]) == (304, b"", first["ETag"])
    assert first["Last-Modified"] == "None", "no one moment is that of all that it is made from"
    assert server.get(f"{address}index.html").body == first.body
    assert server.get(address.removesuffix("/")).status == 301


@pytest.mark.parametrize("address", ["/", "/en/cases/zz-simulated/", "/data/zz-simulated/days.csv", "LIVE", "NONE"])
def test_a_page_comes_in_the_coding_that_is_wanted(server: Server, site: Path, address: str) -> None:
    status, more = 200, {}
    if address == "NONE":
        address, status, more = "/en/nothing/", 404, {"Accept": "text/html"}
    if address == "LIVE":
        address = f"/ur/measurements/{stray(server, site)}/"
    plain = server.get(address, **more)
    assert (plain.status, plain["Content-Encoding"]) == (status, "None")
    tags = {plain["ETag"]}
    for wish, coding in (("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br", "br"), ("br;q=0, *", "gzip")):
        got = server.get(address, Accept_Encoding=wish, **more)
        unpack = brotli.decompress if coding == "br" else gzip.decompress
        assert (got.status, got["Content-Encoding"], unpack(got.body)) == (status, coding, plain.body)
        assert int(got["Content-Length"]) == len(got.body) < len(plain.body)
        assert "Accept-Encoding" in got["Vary"]
        tags.add(got["ETag"])
        if status == 200:
            again = server.get(address, Accept_Encoding=wish, If_None_Match=f'W/"x", {got["ETag"]}')
            assert (again.status, again["ETag"], again["Vary"]) == (304, got["ETag"], got["Vary"])
            assert server.get(address, If_None_Match=got["ETag"]).status == 200
    assert len(tags) == (3 if status == 200 else 1)
    assert ("Accept-Language" in plain["Vary"]) == (address == "/" or status == 404)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", ""), ("identity", ""), ("br", "br"), ("BR", "br"), ("gzip;q=0.5, br;q=0.4", "gzip"), ("br;q=0", ""),
        ("br;q=0.000, gzip;q=0", ""), ("*", "br"), ("*;q=0", ""), ("gzip, *;q=0", "gzip"), ("x-gzip", "gzip"),
        ("identity, br;q=0.5", ""), ("identity;q=0.5, br;q=0.5", "br"), ("br;q=2", ""), ("br;q=nan", ""),
        ("br;q=-1", ""), ("br;x=1", ""), ("br ; q=1.0 , gzip", "br"), ("deflate, zstd", ""), ("," * 3_000, ""),
        ("br;q=١", ""), ("br;q=", ""),
    ],
)  # fmt: skip
def test_which_coding_a_client_wants(header: str, coding: str) -> None:
    assert wanted({"accept-encoding": header} if header else {}, ("br", "gzip")) == coding


def test_what_is_packed_is_packed_the_same_each_time_and_only_where_that_is_shorter() -> None:
    body = b"the same words " * 100
    assert tuple(in_codings(body)) == CODINGS == ("br", "gzip")
    assert in_codings(body) == in_codings(body)
    assert in_codings(b"x") == {}


def test_a_page_that_is_not_there_is_told_in_the_language_of_its_reader(server: Server) -> None:
    for address, wish, code in (
        ("/nothing", "ur", "ur"), ("/nothing", "", "en"), ("/nothing/deep/er", "de, ur;q=0.3", "ur"),
        ("/en/nothing/", "ur", "en"), ("/ur/nothing/", "en", "ur"), ("/EN/nothing/", "de", "en"),
    ):  # fmt: skip
        got = server.get(address, Accept="text/html", Accept_Language=wish)
        text = got.body.decode()
        assert (got.status, f'<html lang="{code}"' in text) == (404, True), address
        assert got["Cache-Control"] == "no-store"
        assert {"Accept", "Accept-Language"} <= set(got["Vary"].split(", "))
        for kind, words in (("", "Front page"), ("search/", "Search")):
            up = "../" * (address.count("/") - 1)
            assert f'<li><a href="{up}{code}/{kind}index.html">{language(code).say(words)}</a></li>' in text
    for address in ("/nothing", f"{API}/nothing", "/api"):
        got = server.get(address, Accept="application/json" if address == "/nothing" else "text/html")
        assert (got["Content-Type"], got.json()["status"]) == ("application/problem+json", 404)


def test_what_is_kept_stays_within_its_bytes_and_the_longest_unasked_goes_first() -> None:
    kept: Kept[bytes] = Kept(10, len)
    for name in "abc":
        kept.put(name, bytes(3))
    assert kept.get("a") == bytes(3)
    kept.put("d", bytes(4))
    assert [name for name in "abcd" if kept.get(name) is not None] == ["a", "c", "d"]
    kept.put("c", bytes(1))
    kept.put("e", bytes(2))
    assert [name for name in "acde" if kept.get(name) is not None] == ["a", "c", "d", "e"]
    kept.put("large", bytes(11))
    assert not any(kept.get(name) for name in ("a", "c", "d", "e", "large"))
