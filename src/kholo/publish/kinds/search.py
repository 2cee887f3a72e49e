"""The search page, which lists everything by letter for eyes and for the script, and the same list for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from .. import words as called
from ..headline import incident_title
from ..jsontext import json_bytes
from ..language import Language, marked
from ..rows import CasePage, EntryRow
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


class Hit(msgspec.Struct, frozen=True):
    """One thing that can be found: what it is, its name, and the kind and key of its page.

    `case` is the title of the case that it is of. `is_record`: the name is the record's; `more` says in the language of
    the page what it is about. `also` is what it is found by beside what the page shows: its ids, what people call the
    service, and its names in the other languages.
    """

    what: str
    name: str
    target: tuple[str, ...]
    more: str = ""
    case: str = ""
    simulated: bool = False
    is_record: bool = False
    also: str = ""


def hits(site: Site, language: Language) -> list[Hit]:
    """Everything, by name."""
    others: dict[tuple[str, ...], list[str]] = {}
    for one in site.languages:
        for hit in _hits(site, one) if one is not language else ():
            others.setdefault(hit.target, []).extend((hit.what, hit.name, hit.also))
    found = [msgspec.structs.replace(hit, also=_also(hit, others.get(hit.target, []))) for hit in _hits(site, language)]
    return sorted(found, key=lambda hit: (language.order(_plain(hit.name)), hit.target))


def _also(hit: Hit, others: Sequence[str]) -> str:
    words = dict.fromkeys((hit.more, hit.also, *others, *hit.target[1:]))
    return " ".join(word for word in words if word and word not in hit.name)


def _plain(name: str) -> str:
    """The name from its first letter or figure on."""
    return next((name[place:] for place, char in enumerate(name) if char.isalnum()), name)


def _hits(site: Site, language: Language) -> Iterator[Hit]:
    say = language.say
    for key, name in site.services.items():
        yield Hit(say(marked("service")), name, ("service", key), also=called.names_of_service(name, language))
    for code in site.countries:
        yield Hit(say(marked("country")), language.place(code), ("country", code.lower()))
    for network in site.networks:
        yield Hit(say(marked("network")), f"{network} {site.network_name(network)}".rstrip(), ("network", network))
    for page in shared.pages(site, language):
        yield from _of_case(page, language)


def _of_case(page: CasePage, language: Language) -> Iterator[Hit]:
    say, view, case = language.say, page.view, page.view.case
    words = f"{called.names_of_service(view.service, language)} {language.place(case.place)}"
    of = partial(Hit, simulated=view.simulated, also=words)
    yield of(say(marked("case")), case.title, ("case", case.id), page.answer.sentence, is_record=True)
    of = partial(of, case=case.title)
    asked = say("Was it obeyed?")
    for order in shared.orders([page], language):
        entry, text = order.row.entry, f"{_who(order.row, language)}: {order.obeyed.text}"
        yield of(
            say(marked("order")), entry.title, ("order", case.id, entry.id), text, is_record=True,
            also=f"{words} {asked}",
        )  # fmt: skip
    for claim in page.claims:
        entry, text = claim.row.entry, f"{_who(claim.row, language)}: {claim.assessment.checked}"
        yield of(say(marked("claim")), entry.title, ("claim", case.id, entry.id), text, is_record=True)
    used = {entry.actor for entry in case.entries}
    for actor in case.actors:
        if actor.id in used:
            yield of(
                say(marked("actor")), actor.name, ("actor", case.id, actor.id), _role(actor.role, language),
                is_record=True,
            )  # fmt: skip
    for one in page.incidents:
        title = incident_title(view.service, one.incident, language)
        yield of(say(marked("incident")), title, ("incident", one.incident.incident_id))


def _who(row: EntryRow, language: Language) -> str:
    """What kind of entry it is, and what its actor is."""
    kind = language.say(called.KIND[row.entry.kind])
    return language.row(list(filter(None, (kind, _role(row.role, language)))))


def _role(role: str, language: Language) -> str:
    return language.say(called.ROLE[role]) if role in called.ROLE else role


def content(site: Site, _key: Key, language: Language) -> dict[str, Any]:
    """Everything by its first letter."""
    letters: dict[str, list[Hit]] = {}
    for hit in hits(site, language):
        letters.setdefault(_plain(hit.name)[:1].upper(), []).append(hit)
    pages = shared.pages(site, language)
    return {
        "title": language.say("Search"),
        "letters": letters,
        **shared.of_cases(pages),
    }


def index(site: Site, language: Language, path: Callable[[str, Key], str | None]) -> bytes:
    """The list as JSON; `path` gives the address of a page below its language."""
    rows = [
        {
            "what": hit.what,
            "name": hit.name,
            "path": f"{language.code}/{path(hit.target[0], hit.target[1:])}",
            "case": hit.case,
            "also": hit.also,
            "simulated": hit.simulated,
        }
        for hit in hits(site, language)
    ]
    return json_bytes({"language": language.code, "pages": rows})


KIND = Kind("search", "search/", "search.html", only_one, content)
