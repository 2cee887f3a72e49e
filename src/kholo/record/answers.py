"""`three-part-test.toml` of a case folder: what people answer to the questions of the three-part test, with entries."""

from __future__ import annotations

from collections.abc import Collection

from kholo.model import Answered, TestAnswer

from .files import Files, Problems
from .format import Key, Shape, What
from .read import Table, open_toml
from .text import nearest, shown
from .threepart import questions
from .values import Words

FILE = "three-part-test.toml"
ANSWER = Shape(
    "an answer",
    (
        Key(
            "question",
            What.CHOICE,
            "id of a question: kholo case test",
            True,
            tuple(one.id for one in questions()),
            "a question",
        ),
        Key("answer", What.CHOICE, "how it is answered", True, tuple(Answered), "an answer"),
        Key("says", What.TEXT, "the answer, in your own words", True, longest=2_000),
        Key("entries", What.ENTRIES, "the entries that it rests on", True),
    ),
)
TEST = Shape("this file", (Key("answer", What.TABLES, "answers", True, shape=ANSWER),))


def read_answers(files: Files, words: Words, entries: Collection[str], problems: Problems) -> tuple[TestAnswer, ...]:
    """The answers, by question. None where there is no such file; mistakes are noted."""
    if not files.has(FILE):
        return ()
    table = open_toml(files, FILE, problems)
    if table is None:
        return ()
    table.read(TEST, words)
    found: dict[str, TestAnswer] = {}
    for part in table.values.get("answer", []):
        answer = _answer(part, entries, found)
        if answer:
            found[answer.question] = answer
    return tuple(found[name] for name in sorted(found))


def _answer(table: Table, known: Collection[str], before: Collection[str]) -> TestAnswer | None:
    values = table.values
    if not {"question", "answer", "says", "entries"} <= values.keys():
        return None
    if values["question"] in before:
        table.problem("question", f"{values['question']!r} is answered twice; put the two together")
    if not values["entries"]:
        table.problem("entries", "is empty; an answer rests on entries")
    for place, name in enumerate(values["entries"]):
        if name not in known:
            table.problem("entries", f"there is no entry {shown(name)}; {nearest(name, sorted(known))}", place)
    return TestAnswer(values["question"], Answered(values["answer"]), values["says"], tuple(sorted(values["entries"])))
