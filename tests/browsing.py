"""A real browser that looks at pages: a host of files, tabs that note what pages ask for and complain of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize

#: Asked in a page, before anything else there.
ASK = Path(__file__).with_suffix(".js").read_text()
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
#: Where a page may run no script, no timer runs either; the checker puts its steps off by timers of no length.
AT_ONCE = "setTimeout = (then) => { Promise.resolve().then(then); return 0; }"
#: What a page says when its policy stopped something.
_LISTEN = "addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))"


class Host:
    """A web server for the files of a folder. `missing` are the addresses that were asked for and are not there."""

    def __init__(self, url: str, missing: list[str]) -> None:
        self.url, self.missing = url, missing


class _Files(SimpleHTTPRequestHandler):
    missing: list[str]

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.missing.append(self.path)
        super().send_error(code, message, explain)

    def log_message(self, *_args: object) -> None:
        """Nothing is told of requests."""


@contextmanager
def hosted(folder: Path) -> Iterator[Host]:
    """The folder on a loopback port."""
    missing: list[str] = []
    kind = type("_Named", (_Files,), {"missing": missing})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.server_port}", missing)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Tab:
    """A tab that notes what its pages ask for and complain of. `root` is where the site stands.

    What is asked of a page comes from outside of it, so that its policy stays in force.
    """

    def __init__(self, context: BrowserContext, root: str) -> None:
        self.root = root
        self.asked: list[str] = []
        self.complaints: list[str] = []
        context.add_init_script(_LISTEN)
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str) -> None:
        """Open a page of the site, and make it ready to be asked."""
        answer = self.page.goto(f"{self.root}/{address}")
        assert answer is not None
        assert answer.ok or self.root.startswith("file:"), address
        self.page.evaluate(ASK)

    def ask(self, question: str) -> Any:
        """What a function of browsing.js says of the page."""
        return self.page.evaluate(f"kholo.{question}")

    def was_quiet(self) -> None:
        """Nobody else was asked for anything, and nothing was complained of: no policy was broken, no script failed."""
        elsewhere = [address for address in self.asked if not address.startswith(f"{self.root}/")]
        assert elsewhere == [], elsewhere
        assert self.complaints == [], self.complaints


class Window:
    """A browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    @contextmanager
    def tab(self, root: str, *, width: int = 1280, script: bool = True, **more: Any) -> Iterator[Tab]:
        """A tab at a site; `more` sets what a context of Playwright has."""
        size = ViewportSize(width=width, height=900)
        context = self.browser.new_context(java_script_enabled=script, viewport=size, **more)
        yield Tab(context, root)
        context.close()


@contextmanager
def window(player: Playwright, chromium: str, **more: Any) -> Iterator[Window]:
    """A browser of one's own; `more` sets how it is started."""
    browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"], **more)
    yield Window(browser)
    browser.close()
