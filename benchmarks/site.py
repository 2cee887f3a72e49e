"""How long a whole site takes to build, and how long a reader on a slow line waits for the first text.

python benchmarks/site.py                # or: make bench; the second part needs Chromium
python benchmarks/site.py --cases 8 --incidents 100 --proofs 60
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import msgspec
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import material

from kholo.model import Bracket
from kholo.publish import CaseView, Site, build_site

T = TypeVar("T")
#: Seconds for 5,000 pages, and for the first text on a line of 50 kbit/s whose answers take 400 ms.
GOAL, GOAL_TEXT, PAGES = 60.0, 3.0, 5_000
LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000 / 8, "uploadThroughput": 50_000 / 8}


def main() -> None:
    """Build twice, then read two pages over a slow line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--incidents", type=int, default=50)
    parser.add_argument("--proofs", type=int, default=50)
    given = parser.parse_args()
    views = [view(number, given.incidents // given.cases + 1, given.proofs) for number in range(given.cases)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        first, paths = timed(lambda: build_site(Site(views), out / "site"))
        pages = sum(path.name == "index.html" for path in paths)
        before = {path: path.stat().st_mtime_ns for path in paths}
        again, _ = timed(lambda: build_site(Site(views), out / "site"))
        rewritten = sum(path.stat().st_mtime_ns != stamp for path, stamp in before.items())
        contents = {path.relative_to(out / "site"): path.read_bytes() for path in paths}
        plain, _ = timed(lambda: write(contents, out / "plain"))
        share = first / pages * PAGES / GOAL
        print(f"{pages:,} pages, {len(paths):,} files: {first:.1f} s")
        print(f"beside the goal, {PAGES:,} pages in {GOAL:g} s: {share:.2f} of that time for each page")
        print(f"beside writing the same bytes: {first / plain:.1f} times as long")
        print(f"once more: {again:.1f} s, {again / first:.2f} of the first; {rewritten} files were written again")
        slow_line(out / "site", os.environ.get("KHOLO_CHROMIUM") or shutil.which("chromium"))


def view(number: int, incidents: int, proofs: int) -> CaseView:
    """A case with many incidents, each with measurements that prove it."""
    made = material.full_view(case_id=f"case-{number}")
    found, shown = [], {}
    for place in range(incidents):
        onset = material.ONSET + timedelta(days=10 * place)
        name = f"chirp-{number}-{place}"
        bracket = Bracket(onset, onset + timedelta(hours=5))
        found.append(msgspec.structs.replace(made.incidents[0], incident_id=name, onset=bracket, end=None))
        uids = (f"20250310{n:06}.{place:06}_PK_webconnectivity_{number:016x}" for n in range(proofs))
        shown[name] = tuple(material.verdict(uid) for uid in uids)
    return msgspec.structs.replace(made, incidents=tuple(found), proofs=shown)


def timed(step: Callable[[], T]) -> tuple[float, T]:
    """Seconds that a step took, and what it gave."""
    begun = time.perf_counter()
    result = step()
    return time.perf_counter() - begun, result


def write(contents: dict[Path, bytes], out: Path) -> None:
    """The least that a build does: each file in its folder."""
    for name, content in contents.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)


class Packed(BaseHTTPRequestHandler):
    """A web server that packs what it sends, as any does."""

    def __init__(self, *args: object, root: Path) -> None:
        self.root = root
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = gzip.compress((self.root / self.path.lstrip("/") / "index.html").read_bytes())
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Encoding", "gzip"), ("Content-Length", len(body))):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def slow_line(root: Path, chromium: str | None) -> None:
    """When the first text of a front page and a case page is there."""
    if chromium is None:
        print("no Chromium here: the slow line was not tried")
        return
    with sync_playwright() as player, ThreadingHTTPServer(("127.0.0.1", 0), partial(Packed, root=root)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for address in ("en/", "ur/", "en/cases/case-0/", "ur/cases/case-0/"):
            context = browser.new_context(viewport={"width": 320, "height": 720})
            page = context.new_page()
            line = context.new_cdp_session(page)
            line.send("Network.enable")
            line.send("Network.emulateNetworkConditions", LINE)
            page.goto(f"http://127.0.0.1:{server.server_port}/{address}", wait_until="load")
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            shown = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1_000
            size = len(gzip.compress((root / address / "index.html").read_bytes()))
            print(
                f"{address}: {size / 1_000:.1f} kB, first text after {shown:.2f} s; {shown / GOAL_TEXT:.2f} of the goal"
            )
            context.close()
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
