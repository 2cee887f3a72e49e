"""Pages that are made when they are asked for are never of another state than that under which they are kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from kholo.serve import Sources, refresh
from kholo.serve.index import Current, Place
from kholo.serve.live import LivePages
from kholo.serve.pages import FolderPages, Moved, Page
from kholo.serve.query import Reader
from kholo.serve.read import Index
from kholo.store import Store

from . import commands, raw

MOMENT = datetime(2025, 4, 10, 12, tzinfo=UTC)
UID = "20240217180000.000001_PK_webconnectivity_0123456789abcdef"


def text_of(pages: LivePages, path: str) -> str:
    found = pages.page(path)
    assert isinstance(found, Page)
    return found.body.decode()


def indexed(folder: Path, contents: int) -> tuple[Index, Store, list[Current]]:
    """A store with so many contents of one measurement, and the states of its index after each."""
    sources = Sources(folder / "served", folder / "store")
    states = []
    for number in range(contents):
        line = raw.measurement(measurement_uid=UID) | {"input": f"https://x.com/{number}"}
        (folder / f"{number}.json").write_bytes(raw.encode(line))
        done = commands.kholo("ingest", folder / f"{number}.json", "--store", folder / "store")
        assert done.returncode == min(number, 1), "a second content is told of"
        states.append(refresh(sources, MOMENT))
    return Index(sources.folder), Store(folder / "store"), states


def test_a_page_says_what_stands_beside_it_now(tmp_path: Path) -> None:
    index, store, _ = indexed(tmp_path, 1)
    site = tmp_path / "site"
    pages = LivePages(FolderPages(site), Reader(index, store))
    path = f"/en/measurements/{UID}/"
    first = text_of(pages, path)
    assert "services/x/" not in first
    beside = site / "en" / "services" / "x" / "index.html"
    beside.parent.mkdir(parents=True)
    # A build writes one file after the other.
    beside.write_text("a page")
    assert "services/x/" in text_of(pages, path)
    beside.unlink()
    assert text_of(pages, path) == first
    about = site / "data" / "index.json"
    about.parent.mkdir(parents=True)
    key = '{"name": "The desk", "fingerprint": "ab cd"}'
    about.write_text(f'{{"address": "", "as_of": "2025-01-01T00:00:00Z", "key": {key}}}')
    assert "The desk" in text_of(pages, path)
    missing = pages.missing("/en/nothing/", "en").body
    about.unlink()
    assert pages.missing("/en/nothing/", "en").body != missing
    assert text_of(pages, path) == first


class Meanwhile(FolderPages):
    """A folder; while it is looked at first, another state of the index is put in force."""

    def __init__(self, root: Path, place: Place, following: Current) -> None:
        super().__init__(root)
        self._place, self._following = place, following
        self.is_done = False

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path."""
        if path == "/data/index.json" and not self.is_done:
            self.is_done = True
            put(self._place, self._following)
        return super().page(path)


def put(place: Place, current: Current) -> None:
    """Put a state in force, and wait until whoever reads has to see it."""
    place.publish(current)
    time.sleep(0.25)


def test_a_page_is_kept_under_the_state_that_it_was_made_from(tmp_path: Path) -> None:
    index, store, states = indexed(tmp_path, 2)
    place = index.place
    held = [index.verdict(state, UID) for state in states]
    assert [len(one.parts) for one in held if one] == [1, 2], "what came later is not of the earlier state"
    path, right = f"/en/measurements/{UID}/", []
    for state in states:
        put(place, state)
        right.append(text_of(LivePages(FolderPages(tmp_path / "none"), Reader(index, store)), path))
    assert right[0] != right[1], "two contents of one measurement count for neither"
    for before, after in ((0, 1), (1, 0)):
        put(place, states[before])
        pages = LivePages(Meanwhile(tmp_path / "none", place, states[after]), Reader(index, store))
        assert text_of(pages, path) == right[before]
        assert text_of(pages, path) == right[after]
        put(place, states[before])
        assert text_of(pages, path) == right[before]
