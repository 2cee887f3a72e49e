"""The table of the Berkeley Protocol names only what there is."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kholo.cli import cli

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "berkeley-protocol.md").read_text()


def test_each_file_is_there() -> None:
    named = set(re.findall(r"`((?:docs|contrib)/[^`]+)`", TEXT))
    assert len(named) > 10
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_each_command_is_there() -> None:
    named = set(re.findall(r"`kholo ([a-z ]+)`", TEXT))
    assert len(named) > 12
    for words in named:
        found: click.Command = cli
        for word in words.split():
            assert isinstance(found, click.Group), words
            inner = found.get_command(click.Context(found), word)
            assert inner is not None, words
            found = inner


def test_each_row_says_whether_it_is_done_and_what_is_not() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and not line.startswith(("|--", "| what"))]
    assert len(rows) > 25
    for row in rows:
        _, asked, done, where, _ = (cell.strip() for cell in row.split("|"))
        assert asked and done in {"yes", "partly", "no"} and len(where) > 20, row
