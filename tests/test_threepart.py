"""The three-part test and the law data: answers cite entries, nothing found is said, mistakes are explained."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from kholo.model import Answered, Case, CaseError, Checked, EntryKind, LegalBasis, ReferenceDataError, State
from kholo.record import checklist, clocks, load_case
from kholo.record.law import COMMON, SHIPPED, law_of, load_law, statute_name
from kholo.record.threepart import questions
from kholo.reference import load_reference

from .test_assess import AS_OF, block, case, entry

CASES = Path(__file__).parents[1] / "cases"
SERVICES = load_reference().services.ids
NOW = datetime(2026, 11, 24, tzinfo=UTC)
FILE = "three-part-test.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(CASES / "x-pakistan-2024", tmp_path / "case")


def answered(found: Case, as_of: datetime = NOW) -> dict[str, Checked]:
    rows = checklist(found, (), clocks(found, (), (), as_of), as_of)
    return {row.question: row for row in rows}


def test_every_answer_of_the_pakistan_case_cites_entries_that_are_there() -> None:
    found = load_case(CASES / "x-pakistan-2024", SERVICES)
    rows = answered(found)
    assert list(rows) == [question.id for question in questions()]
    ids = {entry.id for entry in found.entries}
    for row in rows.values():
        assert set(row.entries) <= ids
        assert row.entries or row.answer is Answered.OPEN
    assert (rows["legality.basis"].answer, rows["legality.basis"].entries) == (Answered.CLAIMED, ("f31",))
    assert "Prevention of Electronic Crimes Act 2016" in rows["legality.basis"].says
    assert "32 days" in rows["legality.public"].says
    assert "439 days" in rows["remedy.court"].says
    assert rows["necessity.threat"].by_people
    assert rows["necessity.milder"].answer is Answered.OPEN


def test_no_published_legal_basis_found_is_an_answer() -> None:
    before_it_was_named = answered(load_case(CASES / "x-pakistan-2024", SERVICES), datetime(2024, 9, 1, tzinfo=UTC))
    row = before_it_was_named["legality.basis"]
    assert (row.answer, row.says) == (Answered.NONE_FOUND, "No published legal basis found.")
    assert row.entries == ("f21", "f24", "f26"), "the reasons that name none"


def test_a_law_that_only_others_name_is_no_basis_that_is_claimed() -> None:
    law = (LegalBasis("pk-peca-2016", "s. 37"),)
    by_press = msgspec.structs.replace(entry("e", "press", EntryKind.STATEMENT, State.OK, 5, 6), legal_basis=law)
    assert answered(case([by_press]), AS_OF)["legality.basis"].answer is Answered.NONE_FOUND
    passed_on = (LegalBasis("pk-peca-2016", "s. 37", claimed_by="pta"),)
    by_pta = msgspec.structs.replace(by_press, legal_basis=passed_on)
    assert answered(case([by_pta]), AS_OF)["legality.basis"].answer is Answered.CLAIMED


def test_each_of_several_incidents_has_its_own_answers() -> None:
    reason = entry("r", "pta", EntryKind.ADMISSION, State.OK, 15, 16)
    reason = msgspec.structs.replace(reason, proposition=None, gives_reason=True)
    hits = [block(10, 20), block(40, 50, ("AS2",))]
    rows = checklist(case([reason]), hits, (), AS_OF)
    mine = {(row.incident_id, row.question): row for row in rows}
    assert "5 days after" in mine[hits[0].incident_id, "legality.public"].says
    later = mine[hits[1].incident_id, "legality.public"]
    assert later.answer is Answered.NONE_FOUND, "a reason given before says nothing of a later block"
    assert mine[hits[1].incident_id, "necessity.width"].says.startswith("The whole service, as measured on AS2")
    assert mine[hits[0].incident_id, "necessity.length"].says.startswith("10 days")


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('question = "aim.allowed"', 'question = "aim.alowed"', "answer.0.question", "did you mean 'aim.allowed'"),
        ('answer = "disputed"', 'answer = "yes"', "answer.1.answer", "disputed"),
        ('entries = ["f24", "f26"]', 'entries = ["f24", "f99"]', "answer.0.entries.1", "no entry 'f99'"),
        ('entries = ["f24", "f26"]', "entries = []", "answer.0.entries", "rests on entries"),
        ('entries = ["f24", "f26"]', "", "answer.0.entries", "is missing"),
        ('question = "necessity.threat"', 'question = "aim.allowed"', "answer.1.question", "answered twice"),
        ("National security,", "<b>National</b>", "answer.0.says", "HTML"),
        ("[[answer]]", "[[anser]]", "anser", "did you mean 'answer'"),
    ],
)
def test_a_mistake_in_an_answer_is_found(folder: Path, old: str, new: str, key: str, message: str) -> None:
    text = (folder / FILE).read_text()
    assert old in text
    (folder / FILE).write_text(text.replace(old, new, 1))
    with pytest.raises(CaseError) as caught:
        load_case(folder, SERVICES)
    mine = [problem for problem in caught.value.problems if problem.file == FILE and problem.key == key]
    assert any(message in problem.message for problem in mine), str(caught.value)


def test_the_law_data_holds_and_is_found_by_country() -> None:
    known = load_law()
    assert {"", "PK", "BR", "UG", "NG", "TR"} <= known.keys()
    for place, law in known.items():
        topics = {part.topic for statute in law.statute for part in statute.provision}
        assert "right" in topics, place
        assert law.iccpr_since is None or 1976 <= law.iccpr_since <= date.today().year  # noqa: DTZ011
    assert [law.place for law in law_of("PK")] == [None, "PK"]
    assert [law.place for law in law_of("DE")] == [None]
    assert statute_name("pk-peca-2016") != "pk-peca-2016"
    assert statute_name("A law of its own name") == "A law of its own name"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("pk.toml", ('place = "PK"', 'place = "XQ"'), "no country"),
        ("pk.toml", ('place = "PK"', 'place = "UG"'), "not called by it"),
        ("pk.toml", ('place = "PK"\n', ""), "says its place"),
        (COMMON, ('id = "gc34"', 'id = "iccpr"'), "twice"),
        ("pk.toml", ('id = "pk-peca-2016"', 'id = "peca"'), "is no id"),
        ("pk.toml", ('topic = "power"', 'topic = "might"'), "topic"),
        ("pk.toml", ("https://na.gov.pk", "javascript:na.gov.pk"), "address"),
        ("pk.toml", ("says =", "sais ="), "sais"),
        ("pk.toml", ("[[statute]]", "[[statute"), "pk.toml"),
    ],
)
def test_broken_law_data_is_refused(tmp_path: Path, file: str, change: tuple[str, str], message: str) -> None:
    folder = tmp_path / "law"
    folder.mkdir()
    for path in SHIPPED.glob("*.toml"):
        shutil.copy(path, folder)
    text = (folder / file).read_text()
    assert change[0] in text
    (folder / file).write_text(text.replace(*change, 1))
    with pytest.raises(ReferenceDataError, match=message):
        load_law(folder)
