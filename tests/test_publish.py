"""The pages: harmless whatever they are made of, the same bytes each time, right in a real browser."""

from __future__ import annotations

import csv
import io
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from kholo.model import EntryKind, State
from kholo.publish import Book, Site, answer, build_site

from . import material
from .browsing import Window
from .material import full_view

HOSTILE = "<script>alert(1)</script>\u202eevil\u0007 =cmd() \"'><img src=x onerror=alert(2)> javascript:alert(3)"
_LOADS = re.compile(r'<\w(?:[^>"]|"[^"]*")*\s(?:src|srcset|action)=|@import|url\((?!#)')


def read(out: Path) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*")) if path.is_file()}


def test_the_same_views_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    views = [full_view(), full_view(case_id="other", simulated=True)]
    build_site(Site(views), tmp_path / "a")
    build_site(Site(views[::-1]), tmp_path / "b")
    assert read(tmp_path / "a") == read(tmp_path / "b")
    assert {"index.html", "en/cases/other/index.html", "data/chirp-test/data.json"} <= set(read(tmp_path / "a"))


def test_an_unchanged_page_is_not_rewritten(tmp_path: Path) -> None:
    files = build_site(Site([full_view()]), tmp_path)
    for path in files:
        os.utime(path, (1, 1))
    build_site(Site([full_view()]), tmp_path)
    assert {path.stat().st_mtime for path in files} == {1}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t="])
def test_hostile_text_is_harmless_in_every_file(sign: str, tmp_path: Path) -> None:
    bad = f"{sign}{HOSTILE}"
    entries = tuple(
        msgspec.structs.replace(
            entry,
            title=bad,
            summary=bad,
            notes=bad,
            sources=(material.source("javascript:alert(1)", bad),),
        )
        for entry in material.record()
    )
    case = material.case(entries, title=bad, summary=bad, limits=(bad,))
    view = msgspec.structs.replace(full_view(), case=case, network_names={"AS64500": bad}, service_name=bad)
    build_site(Site([view], address="https://example.org/"), tmp_path)
    seen = set()
    for name, text in read(tmp_path).items():
        assert "\u202e" not in text, name
        assert "\u0007" not in text, name
        if name.endswith(".html"):
            own = f'<script src="{"../" * name.count("/")}assets/site.js" '
            ours, data = "/embed/" not in name, text.count('<script type="application/ld+json">')
            assert text.count(own) == ours, name
            assert text.count("<script") == ours + data and data <= 1, name
            assert "<img" not in text, name
            assert 'href="javascript' not in text, name
            assert "Content-Security-Policy" in text, name
            assert not _LOADS.search(text.replace(own, "<script ")), f"{name} loads something"
        elif name.endswith((".svg", ".atom", ".xml")):
            nodes = list(ET.fromstring(text).iter())
            assert not [node.tag for node in nodes if node.tag.endswith(("}script", "}img", "}foreignObject"))], name
            assert not [key for node in nodes for key in node.attrib if key.startswith("on")], name
        elif name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(text)))
            assert not [value for row in rows for value in row if value.startswith(("=", "+", "@", "\t"))], name
        elif name.endswith(".json"):
            msgspec.json.decode(text)
            assert not set(text) & set("<>&"), name
        else:
            assert name in {"manifest.txt", "robots.txt", "assets/site.js"}, name
        seen.add(Path(name).suffix)
    assert seen >= {".html", ".svg", ".atom", ".xml", ".csv", ".json"}


def test_simulated_says_so_everywhere_and_real_nowhere(tmp_path: Path) -> None:
    build_site(Site([full_view(simulated=True)]), tmp_path / "fake")
    for name, text in read(tmp_path / "fake").items():
        assert name in {"manifest.txt", "robots.txt", "assets/site.js"} or "simulated" in text.lower(), name
    page = read(tmp_path / "fake")["en/cases/chirp-test/index.html"]
    assert "SIMULATED" in re.findall(r"<title>(.*?)</title>", page)[0].upper()
    assert any("SIMULATED" in picture.upper() for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    build_site(Site([full_view()]), tmp_path / "real")
    assert "SIMULATED DATA" not in read(tmp_path / "real")["en/cases/chirp-test/index.html"]


def test_nothing_known_is_not_enough_data_and_never_ok() -> None:
    empty = material.view(material.case())
    assert answer(empty).state is State.INSUFFICIENT
    assert "not enough data" in answer(empty).sentence


def test_the_answer_claims_no_more_than_its_evidence() -> None:
    findings = tuple(entry for entry in material.record() if entry.kind is EntryKind.FINDING)
    published = answer(material.view(material.case(findings)))
    assert "published" in published.sentence
    assert published.grade is not None
    assert published.grade.value in "CD"
    measured = answer(full_view())
    assert "grade A" in measured.sentence


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_a_stick_without_script(width: int, scheme: str, window: Window, tmp_path: Path) -> None:
    book = Book(Site([full_view(), full_view(case_id="fake", simulated=True)]))
    for address in ("en/", "en/cases/chirp-test/", "en/cases/fake/"):
        (tmp_path / address).mkdir(parents=True, exist_ok=True)
        (tmp_path / address / "index.html").write_bytes(book.page_at(address) or b"")
    with window.tab(tmp_path.as_uri(), width=width, script=False, color_scheme=scheme) as tab:
        for address in ("en/", "en/cases/fake/", "en/cases/chirp-test/"):
            tab.open(f"{address}index.html")
            assert tab.ask("wide()") == []
            assert tab.page.locator("h1").is_visible()
        assert "blocked" in tab.page.locator("main").inner_text().lower()[:600]
        assert tab.page.locator("svg").count() >= 1
        assert [one for one in tab.asked if not one.endswith("index.html")] == []
        tab.was_quiet()


def test_the_pages_hold_the_public_names(tmp_path: Path) -> None:
    build_site(Site([full_view()]), tmp_path)
    data = msgspec.json.decode((tmp_path / "data/chirp-test/data.json").read_bytes())
    assert {"entry_id", "kind", "date", "outcome", "grade", "because"} <= set(data["assessments"][0])
    assert {"clock", "entry_id", "started", "stopped", "days"} <= set(data["clocks"][0])
    assert {"incident_id", "service", "place", "networks", "state", "mechanisms", "onset", "end"} <= set(
        data["incidents"][0]
    )
