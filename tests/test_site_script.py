"""The script that adds to the pages: search, filters, names and zoom, and that nothing is lost without it."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import Playwright

from kholo.model import EnvironmentFault
from kholo.publish import Site, build_site
from kholo.publish.build import site_files
from kholo.publish.font import SYSTEM, _cut, font_maker
from kholo.publish.language import language_codes

from . import browsing
from .browsing import Window, hosted
from .material import case, full_view, record


@contextmanager
def standing(folder: Path, way: str) -> Iterator[str]:
    """Where the site in a folder stands: on a disk, or on a host."""
    if way == "file":
        yield folder.as_uri()
        return
    with hosted(folder) as host:
        yield host.url


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    urdu = full_view()
    # Arabic letters for kaf and yeh, a mark, and a joiner.
    text = "عدالت كي طرف سے حُکم، ہائی کورٹ، نیٹ\u200cورک ٣٧"
    entries = tuple(msgspec.structs.replace(one, title=text) if one.obligation else one for one in record())
    build_site(
        Site(
            [
                full_view(simulated=True, case_id="fake"),
                msgspec.structs.replace(urdu, case=case(entries), service_name="X"),
            ]
        ),
        out,
    )
    return out


def test_the_script_is_small_and_the_policy_lets_it_and_nothing_else_run(built: Path) -> None:
    script = (built / "assets" / "site.js").read_bytes()
    assert script == resources.files("kholo.publish").joinpath("assets/site.js").read_bytes()
    assert len(script) < 8_000
    for bad in (b"eval", b"innerHTML", b"Storage", b"cookie", b"fetch(", b"XMLHttp", b"http:", b"https:"):
        assert bad not in script
    for path in built.rglob("*.html"):
        # What is shown in a frame on other pages runs nothing at all.
        assert ("script-src 'self';" in path.read_text()) is ("embed" not in path.parts)
    for code in language_codes():
        whole = len(gzip.compress((built / code / "cases/chirp-test/index.html").read_bytes()))
        assert whole + len(gzip.compress(script)) < 60_000


@pytest.mark.parametrize("way", ["file", "http"])
def test_the_search_finds_in_both_languages_and_every_spelling(way: str, built: Path, window: Window) -> None:
    found = {
        "en": {
            "AS64500": "networks/AS64500/", "pakistan": "countries/pk/", "پاکستان": "countries/pk/",
            "chirp blocked 2025": "incidents/", "حکم عدالت": "/orders/", "عدالت کی طرف": "/orders/",
            "claim": "/claims/", "twitter order": "/orders/", "ٹوئٹر": "services/chirp/",
        },
        "ur": {
            "پاكستان": "countries/pk/", "PAKISTAN": "countries/pk/", "as۶۴۵۰۰": "networks/AS64500/",
            "حکم": "/orders/", "سروس chirp": "services/chirp/", "chirp-test": "cases/chirp-test/",
            "ایکس": "services/chirp/", "ايكس پاكستان حكم": "/orders/", "ٹویٹر مقدمہ": "cases/chirp-test/",
            "ھائى كورٹ": "/orders/", "عدالتِ کی": "/orders/", "نیٹورک ۳۷": "/orders/", "نيٹ\u200dورك 37": "/orders/",
            "حکـــم": "/orders/", "Twitter": "services/chirp/",
        },
    }  # fmt: skip
    with standing(built, way) as root, window.tab(root) as tab:
        page = tab.page
        for code, asked in found.items():
            page.goto(f"{root}/{code}/search/index.html")
            rows = page.locator("main ul.list > li:visible")
            everything = rows.count()
            for words, where in asked.items():
                page.locator("#search input").fill(words)
                links = [str(one.get_attribute("href")) for one in page.locator("main ul.list > li:visible a").all()]
                assert any(where in link for link in links), words
                assert len(links) < everything, words
            page.locator("#search input").fill("no such word")
            assert rows.count() == 0
            assert page.locator("main h2:visible").count() == 0
            assert page.locator("#search [role=status]").text_content() == ("0 found" if code == "en" else "۰ ملے")
            page.locator("#search input").fill("")
            assert rows.count() == everything
        page.goto(f"{root}/en/search/index.html?q=AS64500")
        assert 0 < page.locator("main ul.list > li:visible").count() < everything
        tab.was_quiet()


def test_tables_can_be_filtered_and_pictures_enlarged_and_named(built: Path, window: Window) -> None:
    with window.tab(built.as_uri()) as tab:
        page = tab.page
        page.goto((built / "en/cases/chirp-test/index.html").as_uri())
        frame = page.locator("figure .zoom").first
        picture = frame.locator("svg:visible")
        before = picture.evaluate("svg => svg.clientWidth")
        frame.focus()
        for key, wide in (("+", 1.5), ("+", 2.25), ("-", 1.5), ("0", 1)):
            page.keyboard.press(key)
            assert picture.evaluate("svg => svg.clientWidth") == pytest.approx(before * wide, abs=2)
        page.locator("figure .tools button").first.click()
        assert picture.evaluate("svg => svg.clientWidth") == pytest.approx(before * 1.5, abs=2)
        page.keyboard.press("Tab")
        picture.locator("a").first.focus()
        name = picture.locator("a > title").first.text_content()
        assert page.locator(".tip").text_content() == name
        page.keyboard.press("Escape")
        assert page.locator(".tip").is_hidden()
        page.get_by_text("The picture as a table").first.click()
        table = page.locator("table", has_text="Measured states by network")
        rows = table.locator("tbody > tr:visible")
        total = rows.count()
        page.get_by_label("Only rows with").first.fill("AS64501")
        assert 0 < rows.count() < total
        assert all("AS64501" in (row.text_content() or "") for row in rows.all())
        tab.was_quiet()


@pytest.mark.parametrize("code", ["en", "ur"])
def test_without_script_everything_is_there(code: str, built: Path, window: Window) -> None:
    with window.tab(built.as_uri(), script=False) as tab:
        page = tab.page
        page.goto((built / code / "search/index.html").as_uri())
        assert page.locator("main ul.list > li:visible").count() == page.locator("main ul.list > li").count() > 10
        assert page.locator("input").count() == 0
        page.goto((built / code / "cases/chirp-test/index.html").as_uri())
        assert page.locator("figure svg:visible").count() >= 1
        assert page.locator("button, input, .tip").count() == 0
        tab.was_quiet()


@pytest.mark.parametrize("width", [320, 1280])
def test_with_script_every_page_fits_its_screen(width: int, built: Path, window: Window) -> None:
    with window.tab(built.as_uri(), width=width) as tab:
        page = tab.page
        for code in language_codes():
            for name in ("", "cases/chirp-test/", "search/", "networks/", "networks/AS64500/", "orders/"):
                page.goto((built / code / name / "index.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") == width, name
        tab.was_quiet()


def test_the_font_holds_the_letters_of_the_pages_and_its_licence_and_is_the_same_each_time(tmp_path: Path) -> None:
    files = dict(site_files(Site([full_view()], fonts=font_maker())))
    font = files["assets/nastaliq.woff2"]
    _cut.cache_clear()
    assert font == dict(site_files(Site([full_view()], fonts=font_maker())))["assets/nastaliq.woff2"]
    assert 20_000 < len(font) < 120_000
    with TTFont(io.BytesIO(font)) as read:
        held = {chr(code) for code in read.getBestCmap()}
        assert "Open Font License" in str(read["name"].getDebugName(13))
    assert b"Open Font License" in files["assets/nastaliq.txt"]
    shown = {char for name, text in files.items() if name.startswith("ur/") for char in text.decode()}
    assert {char for char in shown if "\u0600" <= char <= "\u06ff"} <= held
    assert "ظ" in held
    assert len([char for char in held if "\u0600" <= char <= "\u06ff"]) < 100, "letters that no page has"
    for name, text in files.items():
        is_urdu = name.startswith("ur/") and "/embed/" not in name
        assert (b"nastaliq.woff2" in text) == is_urdu or not name.endswith(".html"), name


def test_where_there_is_no_font_pages_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kholo.publish.font.SYSTEM", tmp_path)
    with pytest.raises(EnvironmentFault, match="no font for Urdu"):
        font_maker([tmp_path])
    (tmp_path / "own").mkdir()
    (tmp_path / "own/NotoNastaliqUrdu-Regular.ttf").write_bytes(
        next(SYSTEM.rglob("NotoNastaliqUrdu-Regular.ttf")).read_bytes()
    )
    assert font_maker([tmp_path / "own"])("ا").woff2.startswith(b"wOF2")
    assert not [name for name, text in site_files(Site([full_view()])) if b"nastaliq" in text and name[-4:] == "html"]


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that carries the font."""
    out = tmp_path_factory.mktemp("lettered")
    build_site(Site([full_view()], fonts=font_maker()), out)
    return out


@pytest.fixture(scope="module")
def poor(player: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """The browser of a system that has no font for Urdu."""
    folder = tmp_path_factory.mktemp("fonts")
    settings = folder / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    with browsing.window(player, chromium, env={**os.environ, "FONTCONFIG_FILE": str(settings)}) as made:
        yield made


@pytest.mark.parametrize("way", ["file", "http"])
def test_the_font_is_loaded_when_the_reader_asks_and_not_before(way: str, poor: Window, lettered: Path) -> None:
    with standing(lettered, way) as root:
        for name in ("ur/index.html", "ur/cases/chirp-test/index.html"):
            # A tab each: what one page still asks for is not taken for what the next one does.
            with poor.tab(root, script=False) as tab:
                tab.page.goto(f"{root}/{name}")
                tab.page.wait_for_load_state("networkidle")
                assert not [one for one in tab.asked if "woff2" in one]
                with tab.page.expect_event("requestfinished", lambda request: "nastaliq.woff2" in request.url):
                    tab.page.locator('a[href="#nastaliq"]').click()
                tab.was_quiet()
