"""The pages in a real browser: they fit, everybody can use them, and they ask nobody for anything."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kholo.judge import Judge
from kholo.pipeline.cases import view
from kholo.publish import Book, build_site
from kholo.publish.font import font_maker
from kholo.publish.kinds import KINDS
from kholo.publish.language import language, language_codes

from .browsing import AT_ONCE, AXE, Host, Tab, Window, hosted
from .conftest import NOW
from .test_site import site

SCREEN, PHONE = 1280, 320
#: A4 without the margins that the style asks for, in CSS pixels.
PAPER = 688
UR = language("ur")
SHIPPED = Path(__file__).parents[1] / "cases" / "x-pakistan-2024"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, judge: Judge) -> Iterator[Host]:
    """The built site on the loopback: a case that holds everything, an invented one, and one that is shipped."""
    out = tmp_path_factory.mktemp("site")
    cut = font_maker()("ا")
    made = site([view(SHIPPED, None, judge, NOW)], fonts=lambda _letters: cut)
    build_site(made, out)
    for code in language_codes():
        path = out / code / "missing" / "index.html"
        path.parent.mkdir()
        path.write_bytes(Book(made).missing(f"{code}/missing/"))
    with hosted(out) as running:
        yield running
        assert running.missing == [], "a page asked for what is not there"


def addresses(code: str) -> list[str]:
    """A page of every kind, two that are invented, one with much to tell, and what stands where there is no page."""
    made = site()
    real = [kind.path(next(iter(kind.keys(made)))) for kind in KINDS]
    more = ("cases/fake/bulletin/", "embed/fake/", f"cases/{SHIPPED.name}/orders/f14/", "missing/")
    return [f"{code}/{path}" for path in (*real, *more)]


def looked_at(tab: Tab, *, scripted: bool) -> list[str]:
    """What is wrong with the page as it stands there, in both schemes. `scripted`: colours of what script added."""
    tab.page.evaluate(AXE)
    tab.ask("unfold()")
    found = [*tab.ask("wide()"), *tab.ask("charts()"), *tab.ask("others()")]
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {one}" for one in tab.page.evaluate("kholo.colours", scripted)]
    return found


@pytest.mark.parametrize("width", [PHONE, SCREEN])
@pytest.mark.parametrize("code", language_codes())
def test_every_kind_of_page_fits_and_is_free_of_barriers(window: Window, host: Host, code: str, width: int) -> None:
    """In light and dark, all that is folded away unfolded, without script, and with it where it changes the page."""
    wrong: list[str] = []
    changed = 0
    with window.tab(host.url, width=width, script=False) as plain, window.tab(host.url, width=width) as tab:
        for address in addresses(code):
            plain.open(address)
            plain.page.evaluate(AT_ONCE)
            tab.open(address)
            is_changed = plain.ask("content()") != tab.ask("content()")
            changed += is_changed
            wrong += [f"{address}: {one}" for one in looked_at(plain, scripted=False)]
            if is_changed:
                wrong += [f"{address} with script: {one}" for one in looked_at(tab, scripted=True)]
        plain.was_quiet()
        tab.was_quiet()
    assert wrong == [], "\n".join(wrong)
    assert changed > 3, "the script does nothing"


@pytest.mark.parametrize("script", [False, True])
def test_what_is_hard_to_read_in_the_dark_only_is_found(window: Window, tmp_path: Path, script: bool) -> None:
    (tmp_path / "index.html").write_text(
        '<!DOCTYPE html><html lang="en"><title>a</title><link rel="icon" href="data:,"><style>'
        "@media (prefers-color-scheme:dark){body{background:#000}} .filter{color:#333}</style>"
        '<main><h1>a</h1><details><summary>b</summary><p class="filter">grey</p></details></main>'
    )
    with hosted(tmp_path) as own, window.tab(own.url, script=script) as tab:
        tab.open("index.html")
        tab.page.evaluate(AT_ONCE)
        (found,) = looked_at(tab, scripted=script)
        assert found.startswith("dark: color-contrast: <p")
        tab.was_quiet()


def test_who_asks_elsewhere_is_noticed(window: Window, tmp_path: Path) -> None:
    with hosted(tmp_path) as own, hosted(tmp_path) as other, window.tab(own.url, script=False) as tab:
        (tmp_path / "index.html").write_text(
            f'<!DOCTYPE html><link rel="icon" href="{other.url}/icon"><p>a</p><img src="{other.url}/image">'
            f"<style>body{{background:url({other.url}/style)}} p{{font-family:f}}"
            f'@font-face{{font-family:f;src:url({other.url}/font)}}</style><iframe src="{other.url}/frame"></iframe>'
        )
        tab.open("index.html")
        tab.page.wait_for_load_state("networkidle")
        assert {*other.missing} == {"/icon", "/image", "/style", "/font", "/frame"}
        assert {*tab.asked} == {f"{own.url}/index.html", *(other.url + path for path in other.missing)}
        with pytest.raises(AssertionError, match="/style"):
            tab.was_quiet()
        assert own.missing == []


@pytest.mark.parametrize(
    ("code", "width", "script"), [("en", SCREEN, True), ("ur", SCREEN, True), ("ur", PHONE, False)]
)
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(
    window: Window, host: Host, code: str, width: int, script: bool
) -> None:
    with window.tab(host.url, width=width, script=script) as tab:
        for address in addresses(code):
            tab.open(address)
            for place, name in enumerate(tab.ask("controls()")):
                tab.page.keyboard.press("Tab")
                found = tab.ask("focus()")
                assert (found["place"], found["name"]) == (place, name), address
                assert found["seen"], f"{address}: the focus can't be seen: {name}"
                assert found["there"], f"{address}: out of sight: {name}"
        tab.was_quiet()


def test_the_first_link_skips_to_the_answer(window: Window, host: Host) -> None:
    with window.tab(host.url) as tab:
        for code in language_codes():
            tab.open(f"{code}/cases/chirp-test/")
            tab.page.keyboard.press("Tab")
            tab.page.keyboard.press("Enter")
            assert tab.page.url.endswith("#main")
            tab.page.keyboard.press("Tab")
            assert tab.page.evaluate("document.querySelector('main a[href]') === document.activeElement")


def test_who_reads_only_urdu_learns_in_two_steps_whether_the_order_was_obeyed(window: Window, host: Host) -> None:
    with window.tab(host.url, width=PHONE, script=False, locale="ur-PK") as reader:
        reader.open("ur/")
        question = UR.say("What was ordered, and was it obeyed?")
        table = reader.page.locator("section, main").locator(f"h2:text-is('{question}') ~ table").first
        row = table.locator("tr", has=reader.page.locator("a[href*='/chirp-test/orders/']"))
        link = row.locator("td a").first
        said = link.inner_text()
        link.click()
        assert "/ur/cases/chirp-test/orders/" in reader.page.url
        answer = reader.page.locator(".answer")
        assert answer.inner_text() == said
        assert not re.search("[A-Za-z]", said)
        assert reader.page.locator("h2", has_text=UR.say("Was it obeyed?")).count() == 1
        rest = reader.page.locator("main dt").all_inner_texts()
        assert rest
        assert not any(re.search("[A-Za-z]{2}", one) for one in rest)


def tool(*words: str | Path, given: bytes) -> bytes:
    """What a tool of poppler says of a PDF."""
    assert shutil.which(str(words[0])) is not None, "install poppler-utils"
    return subprocess.run(list(map(str, words)), input=given, capture_output=True, check=True).stdout


@pytest.mark.parametrize("code", language_codes())
def test_a_page_on_paper_is_light_and_whole(window: Window, host: Host, code: str) -> None:
    with window.tab(host.url, width=PAPER, color_scheme="dark") as tab:
        for address in addresses(code):
            tab.open(address)
            tab.page.emulate_media(media="print")
            assert tab.ask("light()") == "rgb(255, 255, 255)", address
            assert [*tab.ask("wide()"), *tab.ask("charts()")] == [], address
            # As the browser prints it: nothing stands outside of the sheets.
            pdf = tab.page.pdf(prefer_css_page_size=True)
            boxes = tool("pdftotext", "-bbox", "-", "-", given=pdf).decode()
            width, height = map(float, re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', boxes)[0])
            words = re.findall(r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)"', boxes)
            assert len(words) > 20, address
            for left, top, right, bottom in (map(float, word) for word in words):
                assert left >= 0 <= top, address
                assert right <= width, address
                assert bottom <= height, address
        tab.was_quiet()


def test_a_case_on_paper_says_all_of_it_and_where_its_sources_are(window: Window, host: Host) -> None:
    with window.tab(host.url, width=PAPER, script=False, color_scheme="dark") as tab:
        for address in ("en/cases/chirp-test/", f"en/cases/{SHIPPED.name}/"):
            tab.open(address)
            sources = tab.page.locator(".src a").evaluate_all("all => all.map(one => one.href)")
            pdf = tab.page.pdf(prefer_css_page_size=True, print_background=True)
            # The tool takes hyphens at ends of lines for its own.
            flat = re.sub(r"[\s-]", "", tool("pdftotext", "-", "-", given=pdf).decode())
            assert sources
            assert [one for one in sources if one.replace("-", "") not in flat] == []
            # Folded or not, every word of the text is on it.
            tab.page.emulate_media(media="print")
            tab.ask("unfold()")
            said = re.findall("[A-Za-z]{3,}", tab.page.locator("main").inner_text())
            assert len(said) > 300
            assert [word for word in said if word not in flat] == []
            picture = Image.open(io.BytesIO(tool("pdftoppm", "-r", "30", "-singlefile", "-", given=pdf)))
            assert picture.getpixel((2, 2)) == (255, 255, 255)
            colours = picture.convert("L").getcolors()
            assert colours is not None
            assert max(colours)[1] == 255, "most of the paper is white"
        tab.was_quiet()
