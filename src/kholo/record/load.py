"""A case folder as a `Case`, or every mistake in it at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from kholo.disk import file_digest
from kholo.model import Actor, Case, CaseError, Entry, Problem

from .answers import read_answers
from .archived import Copies
from .effect_inputs import read_effect
from .entries import entry_of
from .files import Files, Problems
from .format import CASE
from .links import check_links
from .read import Table, open_toml
from .translations import read_translations
from .values import Words


def load_case(folder: Path, services: Iterable[str]) -> Case:
    """Read and check a case. `services` are the ids that exist. Raises `CaseError` with every problem found."""
    problems = Problems()
    case = _checked(Files(folder), services, problems)
    if case is None or problems.found:
        raise CaseError(problems.found)
    return case


def problems_of(folder: Path, services: Iterable[str], instead: Mapping[str, bytes] | None = None) -> list[Problem]:
    """What is wrong in a case. `instead`: files as they would be, by their path inside the folder."""
    problems = Problems()
    _checked(Files(folder, instead), services, problems)
    return sorted(problems.found)


def _checked(files: Files, services: Iterable[str], problems: Problems) -> Case | None:
    if not files.folder.is_dir():
        problems.note(str(files.folder), "is no folder; a case is one, with case.toml in it")
        return None
    head = open_toml(files, "case.toml", problems)
    return _case(files, head, Words(tuple(services)), problems) if head else None


def _case(files: Files, head: Table, words: Words, problems: Problems) -> Case:
    head.read(CASE, words)
    found = head.values
    start, end = found.get("start"), found.get("end")
    if start and end and end < start:
        head.problem("end", f"is {end}, before the start ({start})")
    actors = _actors(found.get("actor", []))
    words = Words(words.services, tuple(actors))
    entries = _entries(files, words, problems)
    answers = read_answers(files, words, {entry.id for entry in entries if entry.id}, problems)
    read_effect(files, problems)
    languages = read_translations(files, problems)
    return Case(
        id=found.get("id", ""),
        title=found.get("title", ""),
        service=found.get("service", ""),
        place=found.get("place", ""),
        summary=found.get("summary", ""),
        start=start or date.min,
        end=end,
        simulated=found.get("simulated", False),
        actors=tuple(sorted(actors.values(), key=lambda actor: actor.id)),
        entries=tuple(sorted(entries, key=lambda entry: (entry.earliest, entry.id))),
        digest="" if problems.found else _digest(files.folder),
        limits=found.get("limits", ()),
        answers=answers,
        languages=languages,
    )


def _actors(tables: list[Table]) -> dict[str, Actor]:
    actors: dict[str, Actor] = {}
    for table in tables:
        found = table.values
        actor = Actor(found.get("id", ""), found.get("name", ""), found.get("role", ""))
        if actor.id in actors:
            table.problem("id", f"{actor.id!r} stands twice; each actor has an id of its own")
        if actor.id:
            actors[actor.id] = actor
    return actors


def _entries(files: Files, words: Words, problems: Problems) -> list[Entry]:
    copies = Copies(files, problems)
    found: list[Entry] = []
    tables: dict[str, Table] = {}
    names: dict[str, str] = {}
    names_of_files = files.entries(problems)
    for name in names_of_files:
        table = open_toml(files, name, problems)
        if table is None:
            continue
        tables[name] = table
        entry = entry_of(table, words, copies)
        if entry.id in names:
            table.problem("id", f"{entry.id!r} is the id of {names[entry.id]} already; each entry has one of its own")
        if entry.id:
            names[entry.id] = name
        found.append(entry)
    check_links(found, tables, problems, is_whole=len(found) == len(names_of_files))
    return found


def _digest(folder: Path) -> str:
    """SHA-256 (hex) over the paths and bytes of the case's files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = os.fsencode(path.relative_to(folder).as_posix())
            digest.update(name + b"\0" + file_digest(path).encode() + b"\n")
    return digest.hexdigest()
