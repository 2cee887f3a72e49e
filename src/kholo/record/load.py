"""A case folder as a `Case`, or every mistake in it at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from kholo.model import Actor, Case, CaseError, Entry, Problem

from .archived import Copies, sha256
from .effect_inputs import read_effect
from .entries import entry_of
from .format import CASE
from .links import check_links
from .read import Problems, Table, open_toml
from .text import fault_of_text, shown
from .values import Words

MAX_ENTRIES = 10_000
ENTRIES = "entries"


def load_case(folder: Path, services: Iterable[str]) -> Case:
    """Read and check a case. `services` are the ids that exist. Raises `CaseError` with every problem found."""
    problems = Problems()
    if not folder.is_dir():
        raise CaseError([Problem(str(folder), 0, "", "is no folder; a case is one, with case.toml in it")])
    head = open_toml(folder, "case.toml", problems)
    if head is None:
        raise CaseError(problems.found)
    case = _case(folder, head, Words(tuple(services)), problems)
    if problems.found:
        raise CaseError(problems.found)
    return case


def _case(folder: Path, head: Table, words: Words, problems: Problems) -> Case:
    head.read(CASE, words)
    found = head.values
    start, end = found.get("start"), found.get("end")
    if start and end and end < start:
        head.problem("end", f"is {end}, before the start ({start})")
    actors = _actors(found.get("actor", []))
    entries = _entries(folder, Words(words.services, tuple(actors)), problems)
    read_effect(folder, problems)
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
        digest="" if problems.found else _digest(folder),
        limits=found.get("limits", ()),
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


def _entries(folder: Path, words: Words, problems: Problems) -> list[Entry]:
    copies = Copies(folder, problems)
    found: list[Entry] = []
    tables: dict[str, Table] = {}
    names: dict[str, str] = {}
    files = entry_files(folder, problems)
    for name in files:
        table = open_toml(folder, name, problems)
        if table is None:
            continue
        tables[name] = table
        entry = entry_of(table, words, copies)
        if entry.id in names:
            table.problem("id", f"{entry.id!r} is the id of {names[entry.id]} already; each entry has one of its own")
        if entry.id:
            names[entry.id] = name
        found.append(entry)
    check_links(found, tables, is_whole=len(found) == len(files))
    return found


def entry_files(folder: Path, problems: Problems) -> list[str]:
    """The files of the record, as paths inside the folder, sorted; what else lies there is a problem."""
    room = folder / ENTRIES
    if room.is_symlink() or (room.exists() and not room.is_dir()):
        problems.note(ENTRIES, "must be a folder, not a link and no file")
        return []
    found = []
    for path in sorted(room.iterdir()) if room.is_dir() else []:
        if path.name.startswith("."):
            continue
        fault = fault_of_text(path.name, is_line=True)
        if fault:
            problems.note(f"{ENTRIES}/{shown(path.name)}", f"its name {fault}")
        elif path.suffix != ".toml":
            problems.note(f"{ENTRIES}/{path.name}", "is not read: an entry is a file *.toml; rename it, or move it out")
        else:
            found.append(f"{ENTRIES}/{path.name}")
    if not found:
        problems.note(ENTRIES, "has no entry; write one file each, *.toml, or: kholo case add FOLDER")
    if len(found) > MAX_ENTRIES:
        problems.note(ENTRIES, f"has more than {MAX_ENTRIES} entries; split the case")
    return found[:MAX_ENTRIES]


def _digest(folder: Path) -> str:
    """SHA-256 (hex) over the paths and bytes of the case's files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = os.fsencode(path.relative_to(folder).as_posix())
            digest.update(name + b"\0" + sha256(path).encode() + b"\n")
    return digest.hexdigest()
