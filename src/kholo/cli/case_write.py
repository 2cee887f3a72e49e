"""`kholo case new`, `add` and `edit`: guided on a terminal, by options in a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from kholo.model import EntryKind, UsageError
from kholo.pipeline import casework
from kholo.record.format import ACTOR, CASE, ENTRY, LINKS, SOURCE, Shape, What
from kholo.record.phrases import checked, claim, duty, law, span, typed
from kholo.record.text import nearest
from kholo.record.values import Words
from kholo.reference import load_services

from .options import logs_edits, moment_or_now

F = TypeVar("F", bound=Callable[..., Any])
_EXIT = "Exit codes: 0 done; 2 something is missing or wrong, and nothing was written; 3 the disk."


def _is_asking() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(shape: Shape, name: str, words: Words, default: str | None = None, label: str = "") -> Any:
    """Ask for the value of a key until it can stand there; None where it is not needed and nothing was typed."""
    key = shape.key(name)
    if key is None:
        raise AssertionError(name)
    known = words.of(key.among)
    hint = f" ({', '.join(known)})" if key.what is What.CHOICE and len(known) <= 20 else ""
    text = f"{label or name}: {key.says.replace('`', '')}{hint}"
    while True:
        said = click.prompt(text, default=default or ("" if not key.is_needed else None), show_default=bool(default))
        if not said and not key.is_needed:
            return None
        try:
            return checked(key, typed(key, str(said)), words)
        except UsageError as error:
            click.echo(f"  {error}")


def _ask_phrase(text: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any] | None:
    while True:
        said = click.prompt(text, default="", show_default=False)
        if not said:
            return None
        try:
            return parse(said)
        except UsageError as error:
            click.echo(f"  {error}")


def _taken(shape: Shape, given: Mapping[str, str | None], words: Words) -> dict[str, Any]:
    """Options as values of the keys of the same name; those not given are left out."""
    found: dict[str, Any] = {}
    for key in shape.keys:
        text = given.get(key.name)
        if text is not None:
            found[key.name] = checked(key, typed(key, text), words)
    return found


def _refuse(missing: Sequence[str]) -> None:
    if missing:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise UsageError(f"missing: {options}; on a terminal they are asked for")


@click.command(
    epilog="\b\nExamples:\n  kholo case new cases/x-pakistan-2024\n"
    "  kholo case new cases/x-brazil-2024 --title 'X in Brazil, 2024' --service x --place BR --start 2024-08-30 \\\n"
    "    --summary 'A court orders X to be blocked.' --actor 'stf; Supreme Federal Court; court'\n\n" + _EXIT
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--id", help="Name of the case in addresses; without it that of the folder.")
@click.option("--title", help="What it is called.")
@click.option("--service", help="Id of a service in the registry.")
@click.option("--place", help="Country, ISO 3166 alpha-2.")
@click.option("--start", help="First day that the case asks about.")
@click.option("--end", help="Last day; without it the case is open.")
@click.option("--summary", help="A paragraph.")
@click.option("--actor", "actors", multiple=True, help="'ID; NAME; ROLE'. May be given several times.")
@click.option("--simulated", is_flag=True, help="An invented case.")
@logs_edits("edit")
def new(folder: Path, actors: tuple[str, ...], simulated: bool, **given: str | None) -> None:
    """Make a case in a new FOLDER. Asks for what is missing when it runs on a terminal."""
    services = tuple(load_services().ids)
    words = Words(services)
    given["id"] = given["id"] or (None if _is_asking() else folder.resolve().name)
    values = _taken(CASE, given, words)
    people = [_actor(text) for text in actors]
    needed = [key.name for key in CASE.keys if key.is_needed and key.name != "actor" and key.name not in values]
    if _is_asking():
        for name in needed:
            values[name] = _ask(CASE, name, words, folder.resolve().name if name == "id" else None)
        people = people or _ask_actors()
    else:
        _refuse([*needed, *([] if people else ["actor"])])
    casework.created(folder, {**values, **({"simulated": True} if simulated else {}), "actor": people}, services)
    click.echo(f"{folder}: made. Next: kholo case add {folder}")


def _actor(text: str) -> dict[str, Any]:
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3:
        raise UsageError(f"{text!r} is no actor; write 'ID; NAME; ROLE', such as 'shc; Sindh High Court; court'")
    return _taken(ACTOR, dict(zip(ACTOR.names, parts, strict=True)), Words())


def _ask_actors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or click.confirm("another actor?", default=False):
        found.append({name: _ask(ACTOR, name, Words(), label=f"actor {name}") for name in ACTOR.names})
    return found


def _link_options(command: F) -> F:
    for key in reversed(LINKS):
        option = f"--{key.name.replace('_', '-')}"
        command = click.option(option, key.name, multiple=True, metavar="ENTRY", help=f"{key.says.capitalize()}.")(
            command
        )
    return command


def _source_options(command: F) -> F:
    for name in ("translation", "quote", "language"):
        key = SOURCE.key(name)
        help_text = f"Of the first source: {key.says.replace('`', '')}." if key else ""
        command = click.option(f"--{name}", help=help_text)(command)
    return command


@click.command(
    epilog="\b\nExamples:\n  kholo case add cases/x-pakistan-2024\n"
    "  kholo case add cases/x-pakistan-2024 --kind denial --date 2024-02-26 --actor pta \\\n"
    "    --title 'PTA denies blocking X' --summary 'The regulator denies that it blocks X.' \\\n"
    "    --source https://www.dawn.com/news/1817130 --publisher Dawn --claims 'x PK ok 2024-02-26..2024-02-27'\n"
    "  kholo case add cases/x-pakistan-2024 --kind order … --orders 'x PK ok 2024-02-23'\n"
    "  kholo case add cases/x-pakistan-2024 --kind question … --reply-due 2024-04-02 --request information\n\n" + _EXIT
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--id", help="Without it the next one that is free.")
@click.option("--kind", help=f"One of {', '.join(EntryKind)}.")
@click.option("--date", help="When it happened.")
@click.option("--earliest", help="An uncertain day: not before.")
@click.option("--latest", help="An uncertain day: not after.")
@click.option("--actor", help="Id of an actor of case.toml.")
@click.option("--title", help="A line.")
@click.option("--summary", help="A paraphrase in your own words.")
@click.option("--notes", help="How sources were read, where they disagree.")
@click.option(
    "--source", "addresses", multiple=True, metavar="ADDRESS", help="Web address; may be given several times."
)
@click.option("--publisher", "publishers", multiple=True, help="Who published it; one for each source, in order.")
@click.option("--read", help="The day it was read; without it today (UTC).")
@_source_options
@click.option("--claims", metavar="CLAIM", help="'SERVICE PLACE STATE FROM..TO [NETWORK ...]'.")
@click.option("--orders", metavar="DUTY", help="Of an order: 'SERVICE PLACE STATE DUE[..UNTIL] [NETWORK ...]'.")
@click.option("--stay", metavar="SPAN", help="Of a stay: 'FROM..UNTIL', '..UNTIL' or 'FROM'.")
@click.option("--reply-due", help="Of a question or letter: from then on an answer is overdue.")
@click.option("--request", help="'information': put under a right-to-information law.")
@click.option("--event", help="Of an event: election, protest, exam, conflict, other.")
@click.option("--law", "laws", multiple=True, help="'STATUTE; SECTION; WHAT IT SAYS'. May be given several times.")
@click.option("--signatory", "signatories", multiple=True, help="Who signed. May be given several times.")
@click.option("--gives-reason", is_flag=True, help="It gives a public reason for the block.")
@_link_options
@logs_edits("edit")
def add(folder: Path, addresses: tuple[str, ...], publishers: tuple[str, ...], **given: Any) -> None:
    """Add an entry to the case in FOLDER. Asks for what is missing when it runs on a terminal."""
    services = tuple(load_services().ids)
    words = casework.words_of(folder, services)
    values = _taken(
        ENTRY, {name: text for name, text in given.items() if isinstance(text, str) and name != "stay"}, words
    )
    values |= _more(given)
    if "earliest" in values and "latest" in values:
        values.pop("date", None)
    sources = _sources(addresses, publishers, given)
    needed = [name for name in ("kind", "actor", "title", "summary") if name not in values]
    has_day = "date" in values or "earliest" in values
    if _is_asking():
        _ask_entry(values, needed, has_day, sorted(casework.entry_ids(folder)), words)
        sources = sources or _ask_sources()
    else:
        _refuse([*needed, *([] if has_day else ["date"]), *([] if sources else ["source", "publisher"])])
    name = casework.added(folder, {**values, "source": sources}, services)
    click.echo(f"{folder}/{name}: written")


def _more(given: Mapping[str, Any]) -> dict[str, Any]:
    """What options say in a form of their own."""
    phrases = (("proposition", "claims", claim), ("obligation", "orders", duty), ("stay", "stay", span))
    found: dict[str, Any] = {table: parse(given[name]) for table, name, parse in phrases if given[name]}
    found |= {key.name: list(given[key.name]) for key in LINKS if given[key.name]}
    if given["reply_due"]:
        found["reply"] = {"due": _value("reply", "due", given["reply_due"])}
    if given["laws"]:
        found["legal_basis"] = [law(text) for text in given["laws"]]
    if given["signatories"]:
        found["signatories"] = list(given["signatories"])
    return {**found, **({"gives_reason": True} if given["gives_reason"] else {})}


def _value(table: str, name: str, text: str) -> Any:
    key = ENTRY.key(table)
    inner = key.shape.key(name) if key and key.shape else None
    if inner is None:
        raise AssertionError(name)
    return checked(inner, typed(inner, text), Words())


def _sources(addresses: tuple[str, ...], publishers: tuple[str, ...], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    if addresses and len(addresses) != len(publishers):
        raise UsageError(f"{len(addresses)} of --source, {len(publishers)} of --publisher; each source has its own")
    pairs = list(zip(addresses, publishers, strict=True)) if addresses else [("", name) for name in publishers]
    found = [
        _taken(SOURCE, {"address": address or None, "publisher": name, "read": given["read"] or _today()}, Words())
        for address, name in pairs
    ]
    first = {name: given[name] for name in ("language", "quote", "translation")}
    if found:
        found[0] |= _taken(SOURCE, first, Words())
    elif any(first.values()):
        raise UsageError("a quote needs its source: --source and --publisher")
    return found


def _today() -> str:
    return str(moment_or_now(None).date())


def _ask_entry(values: dict[str, Any], needed: Sequence[str], has_day: bool, ids: Sequence[str], words: Words) -> None:
    for name in needed:
        values[name] = _ask(ENTRY, name, words)
    if not has_day:
        values |= _ask_day(words)
    kind = EntryKind(values["kind"])
    for key in ENTRY.keys:
        if kind in key.must and key.name not in values and key.what is What.ENTRIES:
            values[key.name] = _ask_links(key.name, ids, words)
    if kind is EntryKind.ORDER and "obligation" not in values:
        _put(values, "obligation", "orders: SERVICE PLACE STATE DUE[..UNTIL] (empty: nothing to check)", duty)
    elif kind is EntryKind.LEGAL_BASIS and "legal_basis" not in values:
        basis = _ask_phrase("law: STATUTE; SECTION; WHAT IT SAYS", law)
        values["legal_basis"] = [basis] if basis else []
    elif "proposition" not in values:
        _put(values, "proposition", "claims: SERVICE PLACE STATE FROM..TO (empty: nothing to check)", claim)


def _ask_links(name: str, ids: Sequence[str], words: Words) -> list[str]:
    """Ask until at least one entry is named, and only such as there are."""
    while True:
        links: list[str] = _ask(ENTRY, name, words) or []
        unknown = [link for link in links if link not in ids]
        if links and not unknown:
            return links
        for link in unknown:
            click.echo(f"  there is no entry {link!r}; {nearest(link, ids)}")


def _put(values: dict[str, Any], name: str, text: str, parse: Callable[[str], dict[str, Any]]) -> None:
    found = _ask_phrase(text, parse)
    if found:
        values[name] = found


def _ask_day(words: Words) -> dict[str, Any]:
    """A certain day, or after an empty answer both bounds."""
    day = _ask(ENTRY, "date", words, label="date (empty: it is not certain)")
    if day:
        return {"date": day}
    bounds = ("earliest", "latest")
    return {name: found for name in bounds if (found := _ask(ENTRY, name, words))}


def _ask_sources() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or click.confirm("another source?", default=False):
        one = {
            name: _ask(SOURCE, name, Words(), _today() if name == "read" else None, label=f"source {name}")
            for name in ("address", "publisher", "read", "language", "quote")
        }
        if one["quote"] and one["language"] not in (None, "en"):
            one["translation"] = _ask(SOURCE, "translation", Words(), label="source translation")
        found.append({name: value for name, value in one.items() if value})
    return found


@click.command(
    epilog="\b\nExamples:\n  kholo case edit cases/x-pakistan-2024 f15 'title=PTA denies blocking X'\n"
    "  kholo case edit cases/x-pakistan-2024 f15 contradicts+=f14 source.0.language=en\n"
    "  kholo case edit cases/x-pakistan-2024 f15 notes=\n"
    "  kholo case edit cases/x-pakistan-2024 case.toml end=2025-05-07\n\n" + _EXIT
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("entry")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE...")
@logs_edits("edit")
def edit(folder: Path, entry: str, changes: tuple[str, ...]) -> None:
    """Change keys of ENTRY (an id, or case.toml): key=value, key+=value to add to a list, key= to take it out.

    Keys inside of tables are dotted: obligation.due, source.0.read (sources are counted from 0). Every other byte of
    the file stays as it is, comments and order too.
    """
    name = casework.edited(folder, entry, changes, load_services().ids)
    click.echo(f"{folder}/{name}: written")
