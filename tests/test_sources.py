"""Sources register themselves: the guide's example is dropped into the package, found, fetched and ingested."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import kholo.sources
from kholo.cli import cli
from kholo.cli.sources import page
from kholo.fetch.plan import Wanted
from kholo.sources import registry
from kholo.sources.source import Source
from kholo.store import Store

from .conftest import NOW

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "adding-a-source.md").read_text()


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, words)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """The source of the guide, in a folder that the package has for the time of a test."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "tincans.py").write_text(code)
    monkeypatch.setattr(kholo.sources, "__path__", [*kholo.sources.__path__, str(folder)])
    registry.sources.cache_clear()
    yield next(source for source in registry.sources() if source.id == "tincans")
    sys.modules.pop("kholo.sources.tincans")
    registry.sources.cache_clear()


def test_a_module_is_all_that_a_source_is(example: Source) -> None:
    rows = [json.loads(line) for line in run("sources", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows if row["id"] == "tincans"] == ["Tin Cans"]
    assert [row["id"] for row in rows] == ["ooni", *sorted(row["id"] for row in rows if row["id"] != "ooni")]


def test_the_example_of_the_guide_is_ingested(example: Source, tmp_path: Path) -> None:
    (lines,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "cans.jsonl").write_text(lines)
    done = run("ingest", str(tmp_path / "cans.jsonl"), "--store", str(tmp_path / "store"), "--workers", "1", "--json")
    summary = json.loads(done.stdout)
    assert (done.exit_code, summary["new"], summary["new_signals"], summary["reasons"]) == (1, 2, 1, {"bad_time": 1})
    with Store(tmp_path / "store").connect() as db:
        rows = db.execute("SELECT source, place, network, hostname, vantage FROM measurements").fetchall()
        failures = db.execute("SELECT failure FROM observations ORDER BY failure").fetchall()
        signals = db.execute("SELECT source, signal, value, unit FROM signals").fetchall()
        everything = "".join(
            str(db.execute(f"SELECT * FROM {name}").fetchall()) for name in ("measurements", "rejects")
        )
    assert rows == [("tincans", "PK", "AS17557", "x.com", "probe")] * 2
    assert failures == [("connection_refused",), (None,)]
    assert signals == [("tincans", "download", 8.5, "Mbit/s")]
    assert "c-8" not in everything, "no owner leaves"


def test_the_example_of_the_guide_is_planned(example: Source) -> None:
    assert example.fetch is not None
    wanted = Wanted("PK", datetime(2024, 2, 17, tzinfo=UTC), datetime(2024, 2, 19, tzinfo=UTC), NOW)
    plan = example.fetch.plan(wanted, example.fetch.endpoints, None, lambda _done, _all: None)  # type: ignore[arg-type]
    assert [one.address for one in plan.objects] == [
        "https://files.tincans.example/PK/2024-02-17.jsonl.gz", "https://files.tincans.example/PK/2024-02-18.jsonl.gz"
    ]  # fmt: skip


def test_the_guide_explains_every_field_of_a_source() -> None:
    (table,) = re.findall(r"## What each field.*?\n\n(.*?)\n\n", GUIDE, re.DOTALL)
    explained = re.findall(r"`(\w+)(?:\([^`]*)?`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    assert sorted(explained) == sorted(Source.__struct_fields__)


def test_the_page_of_the_sources_is_up_to_date() -> None:
    assert (ROOT / "docs" / "sources.md").read_text() == page(registry.sources()), (
        "run: kholo sources --markdown > docs/sources.md"
    )
    assert run("sources").stdout.count("\n") == len(registry.sources()) + 1


def test_each_source_is_one_of_a_kind() -> None:
    ids = [source.id for source in registry.sources()]
    assert len(set(ids)) == len(ids)
    for source in registry.sources():
        assert re.fullmatch(r"[a-z0-9_]+", source.id)
        assert source.name and source.what and source.terms and source.address.startswith("https://")
