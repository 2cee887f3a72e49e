"""Further parts of papers: effect, method, the law on information, and who signed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from kholo.model import Estimate
from kholo.publish import CaseView
from kholo.publish.effects import shown_range
from kholo.publish.safe import visible
from kholo.record.law import Statute, law_of

from .document import Block, Items, Paragraph, Run, Style, Text
from .language import Gap, Language
from .notes import Notes
from .signatories import Check, Signatory

#: What a sentence on a law on information names of it.
_ROLES = ("officer", "request", "time_limit", "exempt", "appeal")


@cache
def information_law(place: str) -> Statute | None:
    """The law of a country on access to information, where the law data have all that a request names."""
    own = (one for law in law_of(place) if law.place for one in law.statute)
    return next((one for one in own if one.gives_effect_to and all(one.section_of(role) for role in _ROLES)), None)


def effect(view: CaseView, words: Language, notes: Notes) -> list[Block]:
    """Each estimate as a range with its note; what is missing is said."""
    if view.effect is None:
        return []
    rows = tuple(_estimate(item, words, notes) for item in view.effect.estimates)
    unknown = tuple(words.say(f"effect.unknown.{key}") for key in view.effect.unknown)
    return [Paragraph(words.say("effect.lead")), Items(rows), Paragraph(words.say("effect.open")), Items(unknown)]


def _estimate(item: Estimate, words: Language, notes: Notes) -> Text:
    name = words.word("measure", item.measure)
    if item.range is None:
        missing = words.listed([(Run(_input(words, key)),) for key in item.missing])
        note = notes.effect((), item.evidence)
        return words.say("effect.missing", name=name, missing=missing, note=note)
    shown = shown_range(item)
    return words.say(
        "effect.range",
        name=name,
        low=words.number(shown.low),
        high=words.number(shown.high),
        central=words.number(shown.central),
        unit=words.unit(item.unit),
        note=notes.effect(item.inputs, item.evidence),
    )


def _input(words: Language, key: str) -> str:
    known = words.words["input"]
    return known[key] if key in known else known["network"].replace("{network}", key)


def method(view: CaseView, words: Language, notes: Notes) -> list[Block]:
    """How it was worked out, by which rules and data, and how to do it again."""
    versions = view.versions
    used = notes.whole(
        "note.store", f"kholo verdicts --service {view.case.service} --place {view.case.place} --store STORE"
    )
    program = notes.whole("note.program", "kholo --version")
    case = notes.whole("note.case", f"kholo case check cases/{view.case.id}")
    rows = (
        words.say("method.used", count=words.count(view.measurements, "measurement"), note=used)
        if view.measurements
        else words.say("method.unused"),
        words.say("method.steps"),
        words.say("method.grades"),
        words.say("method.undetermined"),
        words.say(
            "method.versions",
            kholo=(Run(versions.kholo, Style.CODE),),
            ruleset=(Run(versions.ruleset, Style.CODE),),
            reference=(Run(versions.reference, Style.CODE),),
            note=program,
        ),
        words.say("method.case", case=(Run(versions.case, Style.CODE),), note=case),
    )
    return [Items(rows)]


def law_parts(place: str, words: Language, notes: Notes) -> dict[str, Gap]:
    """The gaps that sentences on a law on information have; only where the law data have the law."""
    law = information_law(place)
    if law is None:
        return {}
    name = law.name_in(words.language)
    constitution = law.gives_effect_to
    return {
        "law": name,
        "law_note": partial(notes.law, name, law.address or ""),
        "constitution": constitution.get(words.language, constitution["en"]),
        **{role: words.numerals((law.section_of(role) or "").removeprefix("s. ")) for role in _ROLES},
    }


def signed(signatories: Sequence[Signatory], digest: str, words: Language, notes: Notes) -> list[Block]:
    """The sign-on list: names, and how each signature was checked. Addresses never stand here."""
    note = notes.signatories()
    text = words.say("signed.digest", digest=(Run(digest, Style.CODE),), note=note)
    counted = [item for item in signatories if item.is_counted]
    if not counted:
        return [Paragraph(text), Paragraph(words.say("signed.none"))]
    rows = tuple(
        words.say(
            "signed.row" if item.organisation else "signed.person",
            name=(Run(visible(item.name), Style.STRONG, "und"),),
            organisation=(Run(visible(item.organisation), language="und"),),
            how=words.word("check", item.check),
            note=note,
        )
        for item in counted
    )
    total = words.say(
        "signed.count",
        count=words.count(len(counted), "signature"),
        key=words.number(sum(item.check is Check.KEY for item in counted)),
        address=words.number(sum(item.check is Check.ADDRESS for item in counted)),
        note=note,
    )
    return [Paragraph(text), Paragraph(total), Items(rows, is_numbered=True)]
