"""Working on a case folder: each change is checked before anything is written, and written whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kholo.disk import write_if_changed
from kholo.model import CaseError, EnvironmentFault, UsageError
from kholo.record import load_effect
from kholo.record.edit import key_of, with_items, with_value
from kholo.record.files import ENTRIES, Files, Problems
from kholo.record.format import CASE, ENTRY, Shape
from kholo.record.load import load_case, problems_of
from kholo.record.phrases import checked, typed
from kholo.record.read import open_toml
from kholo.record.text import nearest, shown
from kholo.record.translations import Standing, path_of, texts, updated
from kholo.record.values import Words
from kholo.record.write import file_text, formatted

HEAD = "case.toml"
_NUMBERED = re.compile(r"([a-z]+)(\d+)[a-z]?")
_SLUG = 50


def created(folder: Path, values: Mapping[str, Any], services: Iterable[str]) -> None:
    """Make a case folder with its `case.toml` and no entry yet. Raises `UsageError` or `CaseError`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already and is not empty; a new case needs a folder of its own")
    text = file_text(values, CASE)
    beside = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / ENTRIES).mkdir(parents=True)
        write_if_changed(beside / HEAD, text.encode())
        wrong = [problem for problem in problems_of(beside, services) if problem.file != ENTRIES]
        if wrong:
            raise CaseError(wrong)
        beside.replace(folder)
    except OSError as error:
        raise EnvironmentFault(f"{folder}: can't be made: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def added(folder: Path, values: Mapping[str, Any], services: Iterable[str]) -> str:
    """Add an entry, with the next free id where it has none. Gives the file. Raises `UsageError` or `CaseError`."""
    ids = entry_ids(folder)
    identity = values.get("id") or next_id(ids)
    if identity in ids:
        raise UsageError(f"there is an entry {identity!r} already: {ids[identity]}")
    words = re.findall(r"[a-z0-9]+", str(values.get("title", "")).lower())
    slug = "-".join([identity, *words])[:_SLUG].rstrip("-")
    name = f"{ENTRIES}/{slug}.toml"
    if (folder / name).exists():
        name = f"{ENTRIES}/{identity}.toml"
    save(folder, {name: file_text({**values, "id": identity}, ENTRY)}, services)
    return name


def edited(folder: Path, identity: str, changes: Iterable[str], services: Iterable[str]) -> str:
    """Set keys of an entry (`key=value`), add to lists (`key+=value`), take keys out (`key=`). Gives the file."""
    name = HEAD if identity == HEAD else file_of(folder, identity)
    shape = CASE if name == HEAD else ENTRY
    text = text_of(folder, name)
    for change in changes:
        text = _changed(text, shape, change, words_of(folder, services))
    save(folder, {name: text}, services)
    return name


def _changed(text: str, shape: Shape, change: str, words: Words) -> str:
    path, mark, written = change.partition("=")
    if not mark:
        raise UsageError(f"{shown(change)} is no change; write key=value, key+=value, or key= to take it out")
    adds = path.endswith("+")
    path = path.removesuffix("+").strip()
    key = key_of(shape, path)
    if not written:
        return with_value(text, shape, path, None)
    value = typed(key, written)
    if adds:
        if not isinstance(value, list):
            raise UsageError(f"{path} is no list; set it with {path}=…")
        return with_items(text, shape, path, checked(key, value, words))
    return with_value(text, shape, path, checked(key, value, words))


def save(folder: Path, texts: Mapping[str, str], services: Iterable[str]) -> None:
    """Write files of a case, unless that would make it wrong where it was right. Raises `CaseError` then."""
    known = tuple(services)
    instead = {name: text.encode() for name, text in texts.items()}
    before = {(problem.file, problem.key, problem.message) for problem in problems_of(folder, known)}
    after = problems_of(folder, known, instead)
    wrong = [problem for problem in after if (problem.file, problem.key, problem.message) not in before]
    if wrong:
        raise CaseError(wrong)
    for name, data in instead.items():
        write_if_changed(folder / name, data)


def tidied(folder: Path, write: bool) -> list[str]:
    """The files of a case that are not in the one layout; with `write` they are put into it. Raises `UsageError`."""
    found: dict[str, str] = {}
    for name in (HEAD, *_entries(folder)):
        text = text_of(folder, name)
        try:
            tidy = formatted(text, CASE if name == HEAD else ENTRY)
        except UsageError as error:
            raise UsageError(f"{folder}/{name}: {error}") from None
        if tidy != text:
            found[name] = tidy
    for name, text in found.items() if write else ():
        write_if_changed(folder / name, text.encode())
    return sorted(found)


def translated(folder: Path, code: str, services: Iterable[str], write: bool) -> tuple[str, Standing]:
    """Bring a case's catalogue of a language up to date; gives its file, and how far it is.

    Raises `UsageError` for a code that names no language, `CaseError` where the case or the catalogue is wrong.
    """
    name = path_of(code)
    known = tuple(services)
    case = load_case(folder, known)
    before = text_of(folder, name) if Files(folder).has(name) else None
    data, standing = updated(before, case.id, code, texts(case, load_effect(folder)))
    if write:
        save(folder, {name: data.decode()}, known)
    return name, standing


def text_of(folder: Path, name: str) -> str:
    """The text of one file of a case. Raises `CaseError`."""
    problems = Problems()
    text = Files(folder).text(name, problems)
    if text is None:
        raise CaseError(problems.found)
    return text


def entry_ids(folder: Path) -> dict[str, str]:
    """The ids of the entries that can be read, with their files."""
    found: dict[str, str] = {}
    for name in _entries(folder):
        values = _values(folder, name)
        if isinstance(values.get("id"), str):
            found.setdefault(values["id"], name)
    return found


def file_of(folder: Path, identity: str) -> str:
    """The file of an entry. Raises `UsageError` with the nearest id."""
    ids = entry_ids(folder)
    if identity not in ids:
        raise UsageError(f"{folder}: there is no entry {shown(identity)}; {nearest(identity, sorted(ids))}")
    return ids[identity]


def next_id(ids: Iterable[str]) -> str:
    """One more than the highest of the commonest form (f01, f02: f03); e1 in an empty case."""
    forms: dict[str, list[str]] = {}
    for identity in ids:
        if found := _NUMBERED.fullmatch(identity):
            forms.setdefault(found[1], []).append(found[2])
    if not forms:
        return "e1"
    letters = max(sorted(forms), key=lambda form: len(forms[form]))
    highest = max(forms[letters], key=int)
    return f"{letters}{int(highest) + 1:0{len(highest)}}"


def identity_of(folder: Path) -> str:
    """The id that the case gives itself, or where that can't be read the name of its folder."""
    identity = _values(folder, HEAD).get("id")
    return identity if isinstance(identity, str) else folder.name


def words_of(folder: Path, services: Iterable[str]) -> Words:
    """The words that entries of a case may use."""
    actors = _values(folder, HEAD).get("actor", [])
    known = [actor.get("id") for actor in actors if isinstance(actor, dict)] if isinstance(actors, list) else []
    return Words(tuple(services), tuple(actor for actor in known if isinstance(actor, str)))


def _entries(folder: Path) -> list[str]:
    if not (folder / HEAD).is_file():
        raise UsageError(f"{folder}: is no case; make one with: kholo case new {folder}")
    return Files(folder).entries(Problems())


def _values(folder: Path, name: str) -> dict[str, Any]:
    table = open_toml(Files(folder), name, Problems())
    return table.raw if table else {}
