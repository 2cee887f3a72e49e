"""The table of sentences: complete, used, and the page made from it current."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kholo.judge.failures import FAILURES
from kholo.judge.story import SAID, WHO
from kholo.model import Grade, Kind, Layer, ReferenceDataError, State
from kholo.record.wording import page, say
from kholo.wording import Wording, load_table

from .sentences import ROOMS

ROOT = Path(__file__).parents[1]


def said(room: str) -> set[str]:
    """Every id that the code of a room says, with those that it puts together from a closed list of words."""
    found: set[str] = set()
    for file in sorted((ROOT / "src" / "kholo" / room).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                found |= ids(node.args[0])
    return found


def ids(node: ast.expr) -> set[str]:
    if isinstance(node, ast.IfExp):
        return ids(node.body) | ids(node.orelse)
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    assert isinstance(node, ast.JoinedStr), ast.dump(node)
    (start, _) = node.values
    assert isinstance(start, ast.Constant)
    ends: dict[str, list[str]] = {
        "state.": [State.OK, State.BLOCKED, State.THROTTLED],
        "who.": [Grade.C.value.lower(), Grade.D.value.lower()],
        "kind.": [Kind.SHUT_DOWN, Kind.SERVICE_DOWN, Kind.MEASURING_CHANGED],
        "measuring.": ["versions", "addresses"],
        "story.": sorted(SAID),
        "story.who.": sorted(WHO),
        "failure.": sorted(FAILURES),
        "layer.": sorted({*Layer} - {Layer.THROTTLE}),
    }
    first = str(start.value)
    return {first + end for end in ends[first]}


@pytest.mark.parametrize(("room", "wording"), ROOMS.items())
def test_every_sentence_is_said_and_every_one_said_is_in_the_table(room: str, wording: Wording) -> None:
    assert said(room) == {sentence.id for sentence in wording.table.sentence}


def test_no_two_tables_have_a_sentence_of_the_same_id() -> None:
    ids = [sentence.id for wording in ROOMS.values() for sentence in wording.table.sentence]
    assert len(ids) == len(set(ids))


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "assessment-wording.md").read_text() == page()


def test_a_part_too_few_or_too_many_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="wanted"):
        say("beside")
    with pytest.raises(KeyError, match="wanted"):
        say("unmeasured", entries="f1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[parts]\n[[sentence]]\nid = "a"\nwhen = "b"\ntext = "{c}"\n', "c"),
        ('[parts]\nc = "d"\n[[sentence]]\nid = "a"\nwhen = "b"\ntext = "d"\n', "c"),
        ("[parts]\n" + '[[sentence]]\nid = "a"\nwhen = "b"\ntext = "d"\n' * 2, "twice"),
        ('[parts]\n[[sentence]]\nid = "a"\nwhen = "b"\ntext = "{"\n', "table.toml"),
        ('[parts]\n[[sentence]]\nid = "a"\ntext = "b"\n', "when"),
        ("[parts", "table.toml"),
    ],
)
def test_a_broken_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text(text)
    with pytest.raises(ReferenceDataError, match=message):
        load_table(tmp_path / "table.toml")
