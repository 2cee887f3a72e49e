"""One file of the record as an `Entry`, and the rules that hold inside of one entry."""

from __future__ import annotations

from datetime import date
from typing import Any

from kholo.model import Entry, EntryKind, EventKind, LegalBasis, Obligation, Proposition, Reply, State, Stay

from .archived import Copies, source_of
from .format import ENTRY
from .read import Table
from .values import Words


def entry_of(table: Table, words: Words, copies: Copies) -> Entry:
    """Read one file. Mistakes are noted, and harmless stand-ins take their place."""
    table.read(ENTRY, words)
    found = table.values
    kind = EntryKind(found.get("kind", EntryKind.EVENT))
    if "kind" in found:
        _check_kind(table, kind)
    earliest, latest = _dates(table)
    listed = copies.names_in(table, found.get("signatories_file"))
    return Entry(
        id=found.get("id", ""),
        kind=kind,
        earliest=earliest or date.min,
        latest=latest or date.min,
        actor=found.get("actor", ""),
        title=found.get("title", ""),
        summary=found.get("summary", ""),
        sources=tuple(source_of(source, copies) for source in found.get("source", [])),
        proposition=_proposition(found.get("proposition")),
        obligation=_obligation(found.get("obligation"), earliest),
        contradicts=_links(found, "contradicts"),
        retracts=_links(found, "retracts"),
        gives_reason=found.get("gives_reason", False),
        notes=found.get("notes", ""),
        file=table.file,
        stays=_links(found, "stays"),
        appeals=_links(found, "appeals"),
        contempt_of=_links(found, "contempt_of"),
        answers=_links(found, "answers"),
        stay=_stay(found.get("stay"), earliest),
        reply=_reply(found.get("reply"), earliest),
        request=found.get("request"),
        legal_basis=tuple(_legal_basis(basis.values) for basis in found.get("legal_basis", [])),
        signatories=tuple(dict.fromkeys((*found.get("signatories", ()), *listed))),
        signatories_file=found.get("signatories_file"),
        event=EventKind(found["event"]) if "event" in found else None,
    )


def _links(found: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(sorted(found.get(key, ())))


def _check_kind(table: Table, kind: EntryKind) -> None:
    """Keys that don't belong to this kind of entry, and those that it can't do without."""
    for key in ENTRY.keys:
        if key.only and table.has(key.name) and kind not in key.only:
            kinds = " or ".join(f"{_article(name)} {name}" for name in sorted(key.only))
            table.problem(key.name, f"stands only in {kinds}; this entry's kind is {kind}")
        elif kind in key.must and table.values.get(key.name) == ():
            table.problem(key.name, "is an empty list; name one at least")
        elif kind in key.must and not table.has(key.name) and key.name not in table.meant:
            table.problem(key.name, f"is missing; {_article(kind)} {kind} needs it: {key.says}")


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _dates(table: Table) -> tuple[date | None, date | None]:
    found = table.values
    if table.has("date"):
        if table.has("earliest") or table.has("latest"):
            table.problem("date", "stands beside earliest or latest; give one date, or both bounds")
        return found.get("date"), found.get("date")
    if not table.has("earliest") and not table.has("latest"):
        table.problem("date", "is missing; give date, or earliest and latest when the day is uncertain")
        return None, None
    for key, other in (("earliest", "latest"), ("latest", "earliest")):
        if not table.has(key):
            table.problem(other, f"stands alone; give {key} too, or one date")
    earliest, latest = found.get("earliest"), found.get("latest")
    if earliest and latest and latest < earliest:
        table.problem("latest", f"is {latest}, before earliest ({earliest})")
    return earliest, latest


def _proposition(table: Table | None) -> Proposition | None:
    if table is None:
        return None
    found = table.values
    begin, end = found.get("from"), found.get("to")
    if begin and end and end <= begin:
        table.problem("to", f"must be after from ({begin:%Y-%m-%d %H:%M}); it is not included itself")
    if not (begin and end and "state" in found):
        return None
    return Proposition(**_about(found), start=begin, end=end)


def _obligation(table: Table | None, ordered: date | None) -> Obligation | None:
    if table is None:
        return None
    found = table.values
    due, until = found.get("due"), found.get("until")
    _not_before(table, "due", "the order itself", ordered)
    if due and until and until <= due:
        table.problem("until", f"must be after due ({due:%Y-%m-%d %H:%M})")
    return Obligation(**_about(found), due=due, until=until) if due and "state" in found else None


def _about(found: dict[str, Any]) -> dict[str, Any]:
    """What a proposition and an obligation have in common."""
    networks = tuple(sorted(found.get("networks", ())))
    about = {"service": found.get("service", ""), "place": found.get("place", ""), "networks": networks}
    return {**about, "state": State(found["state"])}


def _stay(table: Table | None, ordered: date | None) -> Stay | None:
    if table is None:
        return None
    begin, end = table.values.get("from"), table.values.get("until")
    _not_before(table, "from", "the stay itself", ordered)
    _not_before(table, "until", "the stay itself", ordered)
    if begin and end and end <= begin:
        table.problem("until", f"must be after from ({begin:%Y-%m-%d %H:%M})")
    return Stay(begin, end)


def _reply(table: Table | None, asked: date | None) -> Reply | None:
    if table is None:
        return None
    _not_before(table, "due", "the question itself", asked)
    return Reply(table.values.get("due"))


def _not_before(table: Table, key: str, what: str, day: date | None) -> None:
    moment = table.values.get(key)
    if moment and day and moment.date() < day:
        table.problem(key, f"is {moment.date()}, before {what} ({day})")


def _legal_basis(found: dict[str, Any]) -> LegalBasis:
    return LegalBasis(
        statute=found.get("statute", ""),
        section=found.get("section"),
        says=found.get("says"),
        claimed_by=found.get("claimed_by"),
    )
