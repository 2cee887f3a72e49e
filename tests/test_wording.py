"""The table of sentences: complete, used, and the page made from it current."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kholo.model import Grade, Kind, ReferenceDataError, State
from kholo.record.wording import WORDING, page, say
from kholo.wording import load_table

ROOT = Path(__file__).parents[1]
ROOM = ROOT / "src" / "kholo" / "record"


def said() -> set[str]:
    """Every id that the code of the room says, with those that it puts together from a closed list of words."""
    found: set[str] = set()
    for file in sorted(ROOM.glob("*.py")):
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
    }
    first = str(start.value)
    return {first + end for end in ends[first]}


def test_every_sentence_is_said_and_every_one_said_is_in_the_table() -> None:
    assert said() == {sentence.id for sentence in WORDING.table.sentence}


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
