"""The pages in a real browser: they fit, everybody can use them, and they ask nobody for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kholo.publish import build_site
from kholo.publish.kinds import KINDS
from kholo.publish.language import language, language_codes

from .test_site import site

SCREEN = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 720}
#: Asked in every page, before anything else there.
ASK = Path(__file__).with_name("browsing.js").read_text()
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
UR = language("ur")


class Quiet(SimpleHTTPRequestHandler):
    """A web server for files that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The built site on the loopback."""
    out = tmp_path_factory.mktemp("site")
    build_site(site(), out)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=out)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as player:
        made = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


class Tab:
    """A tab that notes what its pages ask for and complain of."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.page: Page = context.new_page()
        self.host = host
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str) -> None:
        """Open a page of the site."""
        answer = self.page.goto(f"{self.host}/{address}")
        assert answer is not None
        assert answer.ok, address

    def ask(self, question: str) -> Any:
        """What a function of browsing.js says of the page."""
        return self.page.evaluate(f"kholo.{question}")

    def was_quiet(self) -> None:
        """Nobody else was asked for anything, and nothing was complained of: no policy was broken, no script failed."""
        assert [address for address in self.asked if not address.startswith(f"{self.host}/")] == []
        assert self.complaints == []


@pytest.fixture(scope="module")
def tab(browser: Browser, host: str) -> Iterator[Tab]:
    """A tab with script. What is asked of a page comes from outside of it, so that its policy stays in force."""
    context = browser.new_context(viewport=SCREEN)  # type: ignore[arg-type]
    made = Tab(context, host)
    yield made
    context.close()


def addresses(code: str) -> list[str]:
    """A page of every kind."""
    made = site()
    return [f"{code}/{kind.path(next(iter(kind.keys(made))))}" for kind in KINDS]


@pytest.mark.parametrize("code", language_codes())
def test_every_kind_of_page_fits_and_is_free_of_barriers(tab: Tab, code: str) -> None:
    wrong: list[str] = []
    for address in addresses(code):
        tab.open(address)
        tab.page.evaluate(AXE)
        tab.page.evaluate(ASK)
        for size, scheme, rules in ((PHONE, "light", None), (SCREEN, "dark", ["color-contrast"])):
            tab.page.set_viewport_size(size)  # type: ignore[arg-type]
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = [*tab.ask("wide()"), *tab.ask("charts()"), *tab.page.evaluate("only => kholo.rules(only)", rules)]
            wrong += [f"{address} at {size['width']}, {scheme}: {one}" for one in found]
    assert wrong == [], "\n".join(wrong)
    tab.was_quiet()


@pytest.mark.parametrize("code", language_codes())
def test_the_keyboard_reaches_everything_in_the_order_of_the_page(tab: Tab, code: str) -> None:
    tab.page.set_viewport_size(SCREEN)  # type: ignore[arg-type]
    for address in addresses(code):
        tab.open(address)
        tab.page.evaluate(ASK)
        for place, name in enumerate(tab.ask("controls()")):
            tab.page.keyboard.press("Tab")
            found = tab.ask("focus()")
            assert (found["place"], found["name"]) == (place, name), address
            assert found["seen"], f"{address}: the focus can't be seen: {name}"
            assert found["there"], f"{address}: out of sight: {name}"


def test_the_first_link_skips_to_the_answer(tab: Tab) -> None:
    for code in language_codes():
        tab.open(f"{code}/cases/chirp-test/")
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        assert tab.page.url.endswith("#main")
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.querySelector('main a[href]') === document.activeElement")


def test_nothing_needs_script(browser: Browser, host: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    plain = Tab(context, host)
    for code in language_codes():
        for address in addresses(code):
            plain.open(address)
            # A picture of the full page is as wide as its content.
            picture = plain.page.screenshot(full_page=True)
            assert int.from_bytes(picture[16:20], "big") == PHONE["width"], address
    plain.was_quiet()
    context.close()


def test_who_reads_only_urdu_learns_in_two_steps_whether_the_order_was_obeyed(browser: Browser, host: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="ur-PK")  # type: ignore[arg-type]
    reader = Tab(context, host)
    reader.open("ur/")
    question = UR.say("What was ordered, and was it obeyed?")
    table = reader.page.locator("section, main").locator(f"h2:text-is('{question}') ~ table").first
    said = table.locator("td a").first.inner_text()
    table.locator("td a").first.click()
    assert "/ur/cases/chirp-test/orders/" in reader.page.url
    answer = reader.page.locator(".answer")
    assert answer.inner_text() == said
    assert not re.search("[A-Za-z]", said)
    assert reader.page.locator("h2", has_text=UR.say("Was it obeyed?")).count() == 1
    rest = reader.page.locator("main dt").all_inner_texts()
    assert rest
    assert not any(re.search("[A-Za-z]{2}", one) for one in rest)
    context.close()


def test_a_page_on_paper_is_light_whole_and_says_where_its_sources_are(tab: Tab, tmp_path: Path) -> None:
    # A4 without the margins that the style asks for, in CSS pixels.
    tab.page.set_viewport_size({"width": 688, "height": 1000})
    for code in language_codes():
        for address in addresses(code):
            tab.page.emulate_media(media="print", color_scheme="dark")
            tab.open(address)
            tab.page.evaluate(ASK)
            assert tab.ask("light()") == "rgb(255, 255, 255)", address
            assert [*tab.ask("wide()"), *tab.ask("charts()")] == [], address
    tab.open("en/cases/chirp-test/")
    sources = tab.page.locator(".src a").evaluate_all("all => all.map(one => one.href)")
    path = tmp_path / "case.pdf"
    path.write_bytes(tab.page.pdf(prefer_css_page_size=True, print_background=True))
    tab.page.emulate_media(media="screen", color_scheme="light")
    tool = shutil.which("pdftotext")
    assert tool is not None, "install poppler-utils"
    text = subprocess.run([tool, str(path), "-"], capture_output=True, check=True, text=True).stdout
    flat = re.sub(r"\s", "", text)
    assert sources
    assert all(one in flat for one in sources)
    assert "Howitwascomputed" in flat
