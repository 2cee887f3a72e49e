"""What the tests share: the clock they run at, the shipped judge, and where the third-party data is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Playwright, sync_playwright

from kholo.judge import Judge, load_ruleset
from kholo.reference import load_reference

from . import browsing
from .alerts import Hook, Post, hook, post
from .browsing import Window

# No test asserts a time, hypothesis's own neither: machines are shared.
settings.register_profile("kholo", deadline=None)
settings.load_profile("kholo")

#: The moment at which all tests run; later than every measurement in the data.
NOW = datetime(2026, 11, 24, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Third-party data, never part of the project: tests that need it skip where the folder is missing."""
    if not DATA.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the third-party data must be there in CI: ../shared/data")
        pytest.skip("the third-party data is not here (../shared/data)")
    return DATA


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that pages are looked at in."""
    path = os.environ.get("KHOLO_CHROMIUM") or shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("the pages must be tested in a browser in CI: install chromium")
        pytest.skip("no Chromium here")
    return path


@pytest.fixture(scope="session")
def player() -> Iterator[Playwright]:
    """What drives browsers; there may be one only."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def window(player: Playwright, chromium: str) -> Iterator[Window]:
    """The browser that all tests share; each opens tabs of its own."""
    with browsing.window(player, chromium) as made:
        yield made


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The shipped rules and reference data."""
    return Judge(load_ruleset(), load_reference())


@pytest.fixture(scope="session")
def with_a_filter(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """The shipped judge with two fingerprints more: the page of a filter, and the address of a block page."""
    path = tmp_path_factory.mktemp("reference") / "more.csv"
    path.write_text(
        "name,scope,location_found,pattern_type,pattern,expected_countries\n"
        "f,prod,body,contains,a filter,\na,nat,dns,full,185.0.0.9,PK\n"
    )
    return Judge(load_ruleset(), load_reference((path,)))


@pytest.fixture(scope="session")
def small_dossier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole dossier of four measurements, signed; its key lies beside it as `key`. Nobody changes it.

    It is of a machine without Typst: its PDFs would be nine parts in ten of it, and long in the making.
    """
    from . import dossiers

    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "typst", None)
        return dossiers.signed(folder, dossiers.small(folder), folder / "key")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A timestamp authority of our own, with its root `ca.pem`."""
    from . import dossiers

    return dossiers.authority(tmp_path_factory.mktemp("authority") / "own")


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A web server on the loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with hook() as state:
        yield state


@pytest.fixture
def mails() -> Iterator[Post]:
    """A mail server on the loopback."""
    with post() as state:
        yield state
