"""A case folder as a `Case`, or every mistake in it at once."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from kholo.model import (
    Actor,
    Case,
    CaseError,
    Entry,
    EntryKind,
    Obligation,
    Problem,
    Proposition,
    Source,
    State,
)

from .links import check_links
from .read import Problems, Table, open_toml

ROLES = (
    "regulator",
    "government",
    "court",
    "party",
    "civil-society",
    "measurement-body",
    "press",
    "users",
    "company",
    "other",
)
MAX_ENTRIES = 10_000
_CLAIMS = (State.OK.value, State.BLOCKED.value, State.THROTTLED.value)
_NETWORK = re.compile(r"AS[1-9]\d{0,9}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLACE = re.compile(r"[A-Z]{2}")


def load_case(folder: Path, services: frozenset[str]) -> Case:
    """Read and check a case. `services` are the ids that exist. Raises `CaseError` with every problem found."""
    problems = Problems()
    if not folder.is_dir():
        raise CaseError([Problem(str(folder), 0, "", "is no folder; a case is one, with case.toml in it")])
    head = open_toml(folder, "case.toml", problems)
    if head is None:
        raise CaseError(problems.found)
    reader = _Reader(folder, services, problems, head)
    case = reader.case()
    if problems.found:
        raise CaseError(problems.found)
    return case


class _Reader:
    """Reads one case; mistakes go to `problems` and harmless stand-ins take their place."""

    def __init__(self, folder: Path, services: frozenset[str], problems: Problems, head: Table) -> None:
        self._folder, self._services, self._problems, self._head = folder, services, problems, head
        self._actors: dict[str, Actor] = {}
        self._tables: dict[str, Table] = {}

    def case(self) -> Case:
        head = self._head
        identity, title = head.identity("id"), head.text("title")
        service, place = self._service(head), self._place(head)
        summary, start, end = head.text("summary"), head.day("start"), head.day("end", needed=False)
        if start and end and end < start:
            head.problem("end", f"is {end}, before the start ({start})")
        simulated, limits = head.flag("simulated"), head.texts("limits")
        for table in head.tables("actor"):
            self._actor(table)
        head.done()
        entries = self._entries()
        check_links(entries, self._tables)
        return Case(
            id=identity,
            title=title,
            service=service,
            place=place,
            summary=summary,
            start=start or date.min,
            end=end,
            simulated=simulated,
            actors=tuple(sorted(self._actors.values(), key=lambda actor: actor.id)),
            entries=tuple(sorted(entries, key=lambda entry: (entry.earliest, entry.id))),
            digest=_digest(self._folder),
            limits=limits,
        )

    def _actor(self, table: Table) -> None:
        actor = Actor(table.identity("id"), table.text("name"), table.choice("role", ROLES, "a role"))
        table.done()
        if actor.id in self._actors:
            table.problem("id", f"{actor.id!r} stands twice; each actor has an id of its own")
        self._actors[actor.id] = actor

    def _service(self, table: Table) -> str:
        return table.choice("service", self._services, "a service of the registry")

    def _place(self, table: Table) -> str:
        value = table.text("place")
        if value and not _PLACE.fullmatch(value):
            table.problem("place", f"{value!r} is no country code; two capitals (ISO 3166), such as PK")
        return value

    def _entries(self) -> list[Entry]:
        paths = sorted((self._folder / "entries").glob("*.toml"))
        if not paths:
            self._problems.found.append(Problem("entries", 0, "", "has no entry; write one file each, *.toml"))
        if len(paths) > MAX_ENTRIES:
            self._problems.found.append(Problem("entries", 0, "", f"has more than {MAX_ENTRIES} entries"))
        found: list[Entry] = []
        names: dict[str, str] = {}
        for path in paths[:MAX_ENTRIES]:
            name = f"entries/{path.name}"
            table = open_toml(self._folder, name, self._problems)
            if table is None:
                continue
            self._tables[name] = table
            entry = self._entry(table, name)
            if entry.id in names and entry.id:
                table.problem("id", f"{entry.id!r} is the id of {names[entry.id]} already")
            names[entry.id] = name
            found.append(entry)
        return found

    def _entry(self, table: Table, name: str) -> Entry:
        identity, kind = (
            table.identity("id"),
            table.choice("kind", [kind.value for kind in EntryKind], "a kind of entry"),
        )
        earliest, latest = _dates(table)
        actor = table.choice("actor", self._actors, "an actor of case.toml")
        title, summary, notes = table.text("title"), table.text("summary"), table.text("notes", needed=False)
        sources = tuple(self._source(source) for source in table.tables("source"))
        proposition, obligation = self._proposition(table.table("proposition")), self._obligation(table, kind, earliest)
        reason = table.flag("gives_reason")
        contradicts, retracts = table.texts("contradicts"), table.texts("retracts")
        table.done_with("date", "earliest", "latest")
        return Entry(
            id=identity,
            kind=EntryKind(kind) if kind else EntryKind.EVENT,
            earliest=earliest or date.min,
            latest=latest or date.min,
            actor=actor,
            title=title,
            summary=summary,
            sources=sources,
            proposition=proposition,
            obligation=obligation,
            contradicts=tuple(sorted(set(contradicts))),
            retracts=tuple(sorted(set(retracts))),
            gives_reason=reason,
            notes=notes,
            file=name,
        )

    def _source(self, table: Table) -> Source:
        address, publisher, read = table.text("address", needed=False), table.text("publisher"), table.day("read")
        if address and not _is_address(address):
            table.problem("address", "must be a web address that begins with https:// or http://")
        day, language = table.day("date", needed=False), table.text("language", needed=False)
        quote, archived = table.text("quote", needed=False), table.text("archived", needed=False)
        digest = table.text("sha256", needed=False)
        table.done()
        self._archived(table, archived, digest)
        return Source(
            address=address,
            publisher=publisher,
            read=read or date.min,
            date=day,
            language=language or "en",
            quote=quote or None,
            archived=archived or None,
            sha256=digest or None,
        )

    def _archived(self, table: Table, archived: str, digest: str) -> None:
        if not archived:
            if digest:
                table.problem("sha256", "belongs to an archived copy; name it in archived")
            return
        path = self._folder / archived
        inside = path.resolve().is_relative_to(self._folder.resolve()) and not Path(archived).is_absolute()
        if not inside or path.is_symlink() or not path.is_file():
            table.problem("archived", "must be a file inside the case folder, not a link, such as sources/page.html")
        elif not _SHA256.fullmatch(digest):
            table.problem("sha256", "is needed for an archived copy: 64 digits of 0-9a-f (sha256sum FILE)")
        elif _sha256(path) != digest:
            table.problem("sha256", f"does not fit: the SHA-256 of {archived} is {_sha256(path)}")

    def _proposition(self, table: Table | None) -> Proposition | None:
        if table is None:
            return None
        service, place, state = self._service(table), self._place(table), table.choice("state", _CLAIMS, "a state")
        begin, end = table.moment("from"), table.moment("to")
        if begin and end and end <= begin:
            table.problem("to", f"must be after from ({begin:%Y-%m-%d %H:%M}); it is not included itself")
        networks = _networks(table)
        table.done()
        if not (begin and end and state):
            return None
        return Proposition(service, place, State(state), begin, end, networks)

    def _obligation(self, entry: Table, kind: str, ordered: date | None) -> Obligation | None:
        table = entry.table("obligation")
        if table is None:
            return None
        if kind and kind != EntryKind.ORDER:
            entry.problem("obligation", f"stands only in an order; this entry's kind is {kind}")
        service, place, state = self._service(table), self._place(table), table.choice("state", _CLAIMS, "a state")
        due, until = table.moment("due"), table.moment("until", needed=False)
        if due and ordered and due.date() < ordered:
            table.problem("due", f"is {due.date()}, before the order itself ({ordered})")
        if due and until and until <= due:
            table.problem("until", f"must be after due ({due:%Y-%m-%d %H:%M})")
        networks = _networks(table)
        table.done()
        return Obligation(service, place, State(state), due, until, networks) if due and state else None


def _dates(table: Table) -> tuple[date | None, date | None]:
    if table.has("date"):
        if table.has("earliest") or table.has("latest"):
            table.problem("date", "stands beside earliest or latest; give one date, or both bounds")
        day = table.day("date")
        return day, day
    if not table.has("earliest") and not table.has("latest"):
        table.problem("date", "is missing; give date, or earliest and latest when the day is uncertain")
        return None, None
    earliest, latest = table.day("earliest"), table.day("latest")
    if earliest and latest and latest < earliest:
        table.problem("latest", f"is {latest}, before earliest ({earliest})")
    return earliest, latest


def _networks(table: Table) -> tuple[str, ...]:
    networks = table.texts("networks")
    for network in networks:
        if not _NETWORK.fullmatch(network):
            table.problem("networks", f"{network!r} is no network; AS and a number, such as AS17557")
    return tuple(sorted(set(networks)))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not set(text) & set(' "<>\n')
    except ValueError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(folder: Path) -> str:
    """SHA-256 (hex) over the paths and bytes of the case's files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()
