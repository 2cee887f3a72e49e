"""What is remembered of earlier detection saves time and changes nothing; a broken memory is as good as none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kholo.detect.stretches import Stretch
from kholo.judge import Judge
from kholo.pipeline.events import events
from kholo.pipeline.ingest import ingest
from kholo.pipeline.memory import remembered
from kholo.pipeline.verdicts import Filter
from kholo.store import Store

from . import raw
from .conftest import NOW
from .test_rates import NOW_, OTHERS, measurement

FOUND = [Stretch(1, 4, (0.5, 1.0), None, True, 1e4)]


def filled(tmp_path: Path) -> tuple[Store, Path]:
    store = Store(tmp_path / "store", create=True)
    with remembered(store) as memory:
        memory[b"a"] = FOUND
    return store, store.root / "detected" / "stretches"


def test_it_comes_back(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    with remembered(store) as memory:
        assert memory[b"a"] == FOUND
        memory[b"b"] = []
    with remembered(store) as memory:
        assert (memory[b"a"], memory[b"b"]) == (FOUND, [])
    assert [file.name for file in path.parent.iterdir()] == ["stretches"]


@pytest.mark.parametrize("place", [0, 15, 16, 20, -1])
def test_a_changed_byte_makes_it_forget(tmp_path: Path, place: int) -> None:
    store, path = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with remembered(store) as memory:
        assert not memory
        memory[b"c"] = FOUND
    with remembered(store) as memory:
        assert dict(memory) == {b"c": FOUND}


@pytest.mark.parametrize("size", [0, 7, 16, 17])
def test_a_file_cut_short_makes_it_forget(tmp_path: Path, size: int) -> None:
    store, path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with remembered(store) as memory:
        assert not memory


def test_events_are_the_same_with_a_memory_without_and_with_a_broken_one(tmp_path: Path, judge: Judge) -> None:
    lines = [measurement(host, NOW_ + timedelta(hours=6 * n), n, 8_000.0) for host in OTHERS for n in range(9)]
    source = tmp_path / "march.jsonl"
    source.write_bytes(b"".join(raw.encode(line) + b"\n" for line in lines))
    store = Store(tmp_path / "store", create=True)
    ingest(store, [source], None, NOW)
    x = [measurement("x.com", NOW_ + timedelta(hours=6 * n), n, 8_000.0) for n in range(9)]
    source.write_bytes(b"".join(raw.encode(line) + b"\n" for line in x))
    ingest(store, [source], None, NOW)
    first = events(store, judge, Filter())
    path = store.root / "detected" / "stretches"
    written = path.read_bytes()
    assert events(store, judge, Filter()) == first
    assert path.read_bytes() == written
    path.write_bytes(b"broken" + written)
    assert events(store, judge, Filter()) == first
    assert path.read_bytes() == written


def test_where_nothing_can_be_written_all_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    (store.root / "detected").write_text("in the way")
    with remembered(store) as memory:
        memory[b"a"] = FOUND
    assert (store.root / "detected").read_text() == "in the way"
