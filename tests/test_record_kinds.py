"""Every kind of entry, and what only some of them may hold, read from a folder written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kholo.model import Case, Entry, EntryKind, EventKind, LegalBasis, Reply, Stay
from kholo.record import load_case

CASE = """
id = "chirp"
title = "Chirp in Zedland"
service = "chirp"
place = "ZZ"
summary = "What was said of Chirp."
start = 2025-03-01
simulated = true

[[actor]]
id = "court"
name = "High Court"
role = "court"

[[actor]]
id = "ministry"
name = "Ministry of Order"
role = "government"
"""
SOURCE = '[[source]]\naddress = "https://news.example/a"\npublisher = "The Zed Times"\nread = 2025-06-01\n'

#: Kind, day, keys above the source, tables below it.
RECORD = {
    "statement": ("2025-03-01", "gives_reason = true", ""),
    "denial": ("2025-03-02", 'contradicts = ["admission"]', ""),
    "admission": ("2025-03-03", 'retracts = ["denial"]', ""),
    "justification": ("2025-03-03", "", '[[legal_basis]]\nstatute = "Order Act"\nsection = "7"\nclaimed_by = "court"'),
    "order": (
        "2025-03-04",
        "",
        '[obligation]\nservice = "chirp"\nplace = "ZZ"\nstate = "ok"\ndue = 2025-03-06\nnetworks = ["AS64501"]',
    ),
    "stay": ("2025-03-05", 'stays = ["order"]', "[stay]\nfrom = 2025-03-05\nuntil = 2025-03-20T12:00:00+05:00"),
    "appeal": ("2025-03-05", 'appeals = ["order", "contempt"]', ""),
    "contempt": ("2025-03-05", 'contempt_of = ["order"]', ""),
    "filing": ("2025-03-06", "", ""),
    "hearing": ("2025-03-07", "", ""),
    "legal-basis": ("2025-03-08", "", '[[legal_basis]]\nstatute = "Order Act"\n[[legal_basis]]\nstatute = "Wire Act"'),
    "letter": ("2025-03-09", 'answers = ["question"]\nsignatories = ["Zainab", "زینب"]', ""),
    "question": ("2025-03-08", 'request = "information"', "[reply]\ndue = 2025-03-29"),
    "answer": ("2025-04-01", 'answers = ["letter", "question"]', ""),
    "finding": ("2025-04-02", "", ""),
    "civil-society": ("2025-04-03", 'signatories = ["A", "B"]\nsignatories_file = "sources/names.csv"', ""),
    "event": ("2025-04-04", 'event = "election"', ""),
}


def write(folder: Path, kinds: dict[str, tuple[str, str, str]] = RECORD) -> Path:
    """A case with one entry of each kind, its id being the kind."""
    (folder / "entries").mkdir(parents=True)
    (folder / "sources").mkdir()
    (folder / "case.toml").write_text(CASE)
    (folder / "sources" / "names.csv").write_text('town,name\nZed,"Carol, of the Union"\nZed,B\n\n')
    for kind, (day, above, below) in kinds.items():
        head = f'id = "{kind}"\nkind = "{kind}"\ndate = {day}\nactor = "ministry"\ntitle = "T"\nsummary = "S"\n'
        (folder / "entries" / f"{kind}.toml").write_text(f"{head}{above}\n\n{SOURCE}\n{below}\n")
    return folder


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return load_case(write(tmp_path / "case"), {"chirp"})


def of(case: Case, kind: str) -> Entry:
    (found,) = [entry for entry in case.entries if entry.kind == kind]
    return found


def test_there_is_an_entry_of_every_kind(case: Case) -> None:
    assert {entry.kind for entry in case.entries} == set(EntryKind)
    assert set(RECORD) == set(EntryKind)


def test_courts(case: Case) -> None:
    assert of(case, "stay").stays == ("order",)
    assert of(case, "stay").stay == Stay(datetime(2025, 3, 5, tzinfo=UTC), datetime(2025, 3, 20, 7, tzinfo=UTC))
    assert of(case, "appeal").appeals == ("contempt", "order")
    assert of(case, "contempt").contempt_of == ("order",)
    duty = of(case, "order").obligation
    assert duty is not None
    assert duty.networks == ("AS64501",)


def test_questions_and_answers(case: Case) -> None:
    question = of(case, "question")
    assert (question.request, question.reply) == ("information", Reply(datetime(2025, 3, 29, tzinfo=UTC)))
    assert of(case, "answer").answers == ("letter", "question")
    assert of(case, "letter").answers == ("question",)


def test_legal_bases(case: Case) -> None:
    assert of(case, "justification").legal_basis == (LegalBasis("Order Act", "7", None, "court"),)
    assert [basis.statute for basis in of(case, "legal-basis").legal_basis] == ["Order Act", "Wire Act"]


def test_signatories_of_the_entry_come_before_those_of_its_file_and_nobody_twice(case: Case) -> None:
    assert of(case, "civil-society").signatories == ("A", "B", "Carol, of the Union")
    assert of(case, "letter").signatories == ("Zainab", "زینب")


def test_events_and_dates(case: Case) -> None:
    assert of(case, "event").event is EventKind.ELECTION
    assert of(case, "event").earliest == of(case, "event").latest == date(2025, 4, 4)
