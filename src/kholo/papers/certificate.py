"""The certificate of process: a form for the person who swears to it. What nobody filled in stays empty."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from kholo.disk import TooLarge, read
from kholo.model import CaseError, EnvironmentFault, Problem
from kholo.publish.safe import visible
from kholo.record.law import Provision, Statute, statute
from kholo.record.text import fault_of_text

from . import files
from .document import Block, Grid, Run, Style, Text
from .language import Language
from .notes import Notes, from_record

MAX_FILE, MAX_ANSWER = 1 << 20, 4_000
#: What a person writes by hand, after having read the rest.
SIGNATURE = "signature"
BLANK = "________"


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field: the laws (by id) and their sections that it is modelled on."""

    rests_on: tuple[tuple[str, str], ...]

    def provisions(self) -> list[tuple[Statute, Provision]]:
        """What it is modelled on, from the law data. Raises `KeyError` for what is not there."""
        found = []
        for name, section in self.rests_on:
            law = statute(name)
            found.append((law, {one.section: one for one in law.provision}[section]))
        return found


@cache
def fields() -> Mapping[str, Field]:
    """The fields by their names, in their order."""
    return files.read("certificate", dict[str, Field])


def read_answers(path: Path) -> dict[str, str]:
    """What somebody filled in, from a TOML of field and text. Raises `CaseError` with every wrong key."""
    try:
        found = tomllib.loads(read(path, MAX_FILE).decode())
    except TooLarge as error:
        raise CaseError([Problem(path.name, 0, "", f"is larger than {MAX_FILE >> 20} MiB")]) from error
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CaseError([Problem(path.name, 0, "", f"is no TOML in UTF-8: {error}")]) from error
    problems = [
        Problem(path.name, 0, ascii(key)[:60], fault) for key, value in found.items() if (fault := _fault(key, value))
    ]
    if problems:
        raise CaseError(problems)
    return found


def _fault(key: str, value: object) -> str:
    if key == SIGNATURE:
        return "is written by hand, on the paper"
    if key not in fields():
        return f"is no field; there are: {', '.join(name for name in fields() if name != SIGNATURE)}"
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > MAX_ANSWER:
        return f"has {len(value)} characters; {MAX_ANSWER} are allowed"
    return fault_of_text(value)


def form(answers: Mapping[str, str], words: Language, notes: Notes) -> list[Block]:
    """The form as a table: each field with a note on the provisions that it is modelled on."""
    rows = tuple(_row(name, field, answers.get(name, ""), words, notes) for name, field in fields().items())
    return [Grid((words.say("certificate.field"), words.say("certificate.answer")), rows, (7, 9), is_form=True)]


def provisions(words: Language, notes: Notes) -> list[Block]:
    """What the fields are modelled on, each provision once, in our own words."""
    named = {(law.id, one) for field in fields().values() for law, one in field.provisions()}
    rows = tuple(
        (
            (*notes.provision(law, one), *notes.law(law.name_in(words.language), law.address or "")),
            from_record(one.says),
        )
        for law in (statute(name) for name in sorted({name for name, _ in named}))
        for one in law.provision
        if (law.id, one) in named
    )
    return [Grid((words.say("certificate.law"), words.say("certificate.says")), rows, (6, 10))]


def _row(name: str, field: Field, answer: str, words: Language, notes: Notes) -> tuple[Text, Text]:
    label: Text = (Run(words.word("certificate", name), Style.STRONG), *notes.provisions(field.provisions()))
    return label, (Run(visible(" ".join(answer.split())) or BLANK, language="und" if answer else ""),)
