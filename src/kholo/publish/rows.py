"""What a case page shows, put together from a view: rows for the templates, links between them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from kholo.model import (
    Actor,
    Assessment,
    Checked,
    Clock,
    ClockKind,
    Entry,
    EntryKind,
    Incident,
    NetworkSpell,
    Outcome,
    Said,
    Verdict,
)

from .answer import Answer, answer, case_incidents, standing_findings, taken_back
from .effects import EffectRow, effect_rows
from .language import ENGLISH, Language
from .marks import Mark
from .recorded import in_language, translated
from .safe import anchor, explorer_address
from .spans import Coverage, Run, by_network, coverage, network_key, runs
from .told import told
from .view import CaseView
from .words import clock_unit

#: Rows of one table before the rest is left to data.json.
MOST_ROWS = 400


class Link(msgspec.Struct, frozen=True):
    """A link inside the page; `href` is None where the target is not on it."""

    text: str
    href: str | None


class EntryRow(msgspec.Struct, frozen=True):
    """One entry of the chronology with what points to it and how it was assessed.

    `notes` is the editors' note in pieces: plain text, and links where it names another entry by its id.
    """

    number: int
    anchor: str
    entry: Entry
    actor: str
    role: str
    assessment: Assessment | None
    contradicts: tuple[Link, ...]
    contradicted_by: tuple[Link, ...]
    retracts: tuple[Link, ...]
    retracted_by: tuple[Link, ...]
    notes: tuple[Link, ...]


class ClaimRow(msgspec.Struct, frozen=True):
    """One assessment with the entry it assesses and links to what it rests on."""

    row: EntryRow
    assessment: Assessment
    evidence: tuple[Link, ...]


class ClockRow(msgspec.Struct, frozen=True):
    """A clock over the whole place and the same clock by network.

    `start` leads to the entry or incident that started it, `title` is that entry's (empty for an incident).
    """

    clock: Clock
    start: Link
    title: str
    evidence: tuple[Link, ...]
    networks: tuple[Clock, ...] = ()
    unit: str = ""


class ProofRow(msgspec.Struct, frozen=True):
    """A verdict that proves an incident; `address` is its page at OONI Explorer, None for invented ones. `is_slow`: its
    transfer was so slow that it shows throttling."""

    verdict: Verdict
    address: str | None
    is_slow: bool = False


class IncidentRow(msgspec.Struct, frozen=True):
    """One incident with its fragment, the names of its networks and rows that prove it."""

    incident: Incident
    anchor: str
    networks: tuple[str, ...]
    spells: tuple[tuple[str, NetworkSpell], ...]
    proofs: tuple[ProofRow, ...]


class TestRow(msgspec.Struct, frozen=True):
    """A question of the three-part test with links to what its answer rests on; `incident` is None for the case."""

    checked: Checked
    says: str
    evidence: tuple[Link, ...]
    incident: Link | None


class CasePage(msgspec.Struct, frozen=True):
    """Everything that one case page shows."""

    view: CaseView
    answer: Answer
    entries: tuple[EntryRow, ...]
    claims: tuple[ClaimRow, ...]
    checked_findings: tuple[ClaimRow, ...]
    clocks: tuple[ClockRow, ...]
    incidents: tuple[IncidentRow, ...]
    duties: tuple[EntryRow, ...]
    coverage: tuple[Coverage, ...]
    runs: tuple[Run, ...]
    runs_left_out: int
    taken_back: tuple[IncidentRow, ...]
    outcomes: tuple[tuple[Outcome, int], ...]
    test: tuple[TestRow, ...]
    effect: tuple[EffectRow, ...] = ()

    @property
    def actors(self) -> dict[str, Actor]:
        """The actors of the case by their ids."""
        return {actor.id: actor for actor in self.view.case.actors}

    @property
    def undetermined(self) -> list[ClaimRow]:
        """The claims that the evidence can't decide."""
        return [row for row in self.claims if row.assessment.outcome is Outcome.UNDETERMINED]

    @property
    def marks(self) -> list[Mark]:
        """The entries as marks of the timeline."""
        return [
            Mark(row.number, row.anchor, row.entry, row.assessment.outcome if row.assessment else None)
            for row in self.entries
        ]

    @property
    def finding_marks(self) -> list[Mark]:
        """The standing findings among the marks."""
        standing = {entry.id for entry in standing_findings(self.view)}
        return [mark for mark in self.marks if mark.entry.id in standing]


def case_page(view: CaseView, language: Language = ENGLISH) -> CasePage:
    """Sorts and links everything, in the language of the page. The order of the view's rows does not matter."""
    view = in_language(view, language)
    own = translated([view], language)
    entries = _entries(view, own, language)
    incidents = _incident_rows(view, case_incidents(view), "incident")
    links = _links(entries, incidents, language)
    checked = _claims(view, entries, links, language)
    claims = tuple(row for row in checked if row.assessment.kind is not EntryKind.FINDING)
    all_runs = [run for rows in by_network(view.days).values() for run in runs(rows)]
    return CasePage(
        view=view,
        answer=answer(view, language),
        entries=entries,
        claims=claims,
        checked_findings=tuple(row for row in checked if row.assessment.kind is EntryKind.FINDING),
        clocks=_clocks(view, entries, links, language),
        incidents=incidents,
        duties=tuple(row for row in entries if row.entry.obligation is not None),
        coverage=_coverage(view),
        runs=tuple(all_runs[:MOST_ROWS]),
        runs_left_out=max(0, len(all_runs) - MOST_ROWS),
        taken_back=_incident_rows(view, taken_back(view), "none"),
        outcomes=tuple(
            (outcome, sum(row.assessment.outcome is outcome for row in claims))
            for outcome in (Outcome.CONTRADICTED, Outcome.SUPPORTED, Outcome.UNDETERMINED)
        ),
        test=tuple(
            TestRow(
                row,
                says,
                _linked((*row.entries, *row.incidents), links),
                _linked((row.incident_id,), links)[0] if row.incident_id else None,
            )
            for row, says in zip(view.checklist, _answered(view, entries, incidents, own, language), strict=True)
        ),
        effect=effect_rows(view.effect, language) if view.effect else (),
    )


def _answered(
    view: CaseView,
    entries: Sequence[EntryRow],
    incidents: Sequence[IncidentRow],
    own: Collection[str],
    language: Language,
) -> list[str]:
    """The answers of the three-part test. What people wrote is in English where it is not among the case's `own` texts
    in this language, and so are the names in it."""
    spoken = [ENGLISH if row.by_people and row.says not in own else language for row in view.checklist]
    names = {one.code: _links(entries, incidents, one) for one in (ENGLISH, language)}
    return [_told(row.told, row.says, names[one.code], one) for row, one in zip(view.checklist, spoken, strict=True)]


def network_label(view: CaseView, network: str) -> str:
    """`AS20294 MTN`, or the number alone where no name is known."""
    return _label(view.network_names, network)


def _label(names: Mapping[str, str], network: str) -> str:
    name = names.get(network, "")
    return f"{network} {name}" if name else network


def _entries(view: CaseView, own: Collection[str], language: Language) -> tuple[EntryRow, ...]:
    ordered = sorted(view.case.entries, key=lambda entry: (entry.earliest, entry.latest, entry.id))
    numbers = {entry.id: number for number, entry in enumerate(ordered, 1)}
    actors = {actor.id: actor for actor in view.case.actors}
    assessed = {row.entry_id: row for row in view.assessments}

    def links(identifiers: Sequence[str]) -> tuple[Link, ...]:
        return tuple(_entry_link(identifier, numbers, language) for identifier in sorted(identifiers))

    out = []
    for number, entry in enumerate(ordered, 1):
        actor = actors.get(entry.actor)
        out.append(
            EntryRow(
                number=number,
                anchor=anchor("entry", entry.id, number),
                entry=entry,
                actor=actor.name if actor else entry.actor,
                role=actor.role if actor else "",
                assessment=assessed.get(entry.id),
                contradicts=links(entry.contradicts),
                contradicted_by=links([other.id for other in ordered if entry.id in other.contradicts]),
                retracts=links(entry.retracts),
                retracted_by=links([other.id for other in ordered if entry.id in other.retracts]),
                notes=_noted(entry.notes, numbers, language if entry.notes in own else ENGLISH),
            )
        )
    return tuple(out)


#: What may be an entry's id inside of a sentence: letters alone can't be told from a word, nor digits from a figure.
_NAMED = re.compile(r"(?<![\w.-])((?=[0-9-]*[a-z])(?=[a-z-]*[0-9])[a-z0-9-]+)(?![\w-])")


def _noted(text: str, numbers: Mapping[str, int], spoken: Language) -> tuple[Link, ...]:
    """A note in pieces. Pages number the entries; the files call them by id, and so do notes: an id becomes a link
    in the language that the note is in."""
    pieces = [
        _entry_link(piece, numbers, spoken) if at % 2 and piece in numbers else Link(piece, None)
        for at, piece in enumerate(_NAMED.split(text))
    ]
    return tuple(piece for piece in pieces if piece.text)


def _entry_link(identifier: str, numbers: Mapping[str, int], language: Language) -> Link:
    number = numbers.get(identifier)
    if number is None:
        return Link(identifier, None)
    return Link(language.say("entry {number}", number=number), f"#{anchor('entry', identifier, number)}")


def _incident_rows(view: CaseView, incidents: Sequence[Incident], prefix: str) -> tuple[IncidentRow, ...]:
    slow = view.slow_uids
    return tuple(
        incident_row(row, number, prefix, view.network_names, view.proofs.get(row.incident_id, ()), slow)
        for number, row in enumerate(incidents, 1)
    )


def incident_row(
    row: Incident,
    number: int,
    prefix: str,
    names: Mapping[str, str],
    proofs: Sequence[Verdict] = (),
    slow: Collection[str] = (),
) -> IncidentRow:
    """An incident for a page: the `number`-th of those whose fragments begin with `prefix`. `slow`: the measurements
    that show throttling by their speed."""
    spells = sorted(row.spells, key=lambda spell: (network_key(spell.network), spell.onset))
    return IncidentRow(
        incident=row,
        anchor=anchor(prefix, row.incident_id, number),
        networks=tuple(_label(names, name) for name in sorted(row.networks, key=network_key)),
        spells=tuple((_label(names, spell.network), spell) for spell in spells[:MOST_ROWS]),
        proofs=_proofs(proofs, slow),
    )


def _proofs(verdicts: Sequence[Verdict], slow: Collection[str]) -> tuple[ProofRow, ...]:
    ordered = sorted(verdicts, key=lambda row: (row.measured_at, row.measurement_uid))
    return tuple(
        ProofRow(row, None if row.simulated else explorer_address(row.measurement_uid), row.measurement_uid in slow)
        for row in ordered[:12]
    )


def _links(entries: Sequence[EntryRow], incidents: Sequence[IncidentRow], language: Language) -> dict[str, Link]:
    out = {row.entry.id: Link(language.say("entry {number}", number=row.number), f"#{row.anchor}") for row in entries}
    for number, row in enumerate(incidents, 1):
        out[row.incident.incident_id] = Link(language.say("incident {number}", number=number), f"#{row.anchor}")
    return out


def _linked(identifiers: Sequence[str], links: Mapping[str, Link]) -> tuple[Link, ...]:
    return tuple(links.get(identifier) or Link(identifier, None) for identifier in identifiers)


def _told(said: Sequence[Said], text: str, links: Mapping[str, Link], language: Language) -> str:
    """Sentences in which ids of entries and incidents stand as the page numbers them."""
    return told(said, text, {name: link.text for name, link in links.items()}, language)


def _claims(
    view: CaseView, entries: Sequence[EntryRow], links: Mapping[str, Link], language: Language
) -> tuple[ClaimRow, ...]:
    rows = {row.entry.id: row for row in entries}
    found = [
        ClaimRow(
            rows[item.entry_id],
            msgspec.structs.replace(
                item,
                because=_told(item.said, item.because, links, language),
                checked=_told(item.asked, item.checked, links, language),
            ),
            _linked(item.evidence, links),
        )
        for item in view.assessments
        if item.entry_id in rows
    ]
    return tuple(sorted(found, key=lambda claim: claim.row.number))


def _clocks(
    view: CaseView, entries: Sequence[EntryRow], links: Mapping[str, Link], language: Language
) -> tuple[ClockRow, ...]:
    titles = {row.entry.id: row.entry.title for row in entries}
    asking = {row.entry.id for row in entries if row.entry.kind in (EntryKind.QUESTION, EntryKind.LETTER)}
    grouped: dict[tuple[ClockKind, str], list[Clock]] = {}
    for raw in view.clocks:
        clock = msgspec.structs.replace(raw, because=_told(raw.said, raw.because, links, language))
        grouped.setdefault((clock.clock, clock.entry_id), []).append(clock)
    out = []
    for (_, entry_id), clocks in grouped.items():
        start = _linked((entry_id,), links)[0]
        whole = sorted((c for c in clocks if c.network is None), key=lambda c: (-c.days, c.started))
        split = sorted((c for c in clocks if c.network), key=lambda c: (network_key(c.network or ""), c.started))
        for position, clock in enumerate(whole or split):
            behind = tuple(split) if whole and position == 0 else ()
            evidence = _linked(clock.evidence, links)
            unit = language.say(clock_unit(clock, asking))
            out.append(ClockRow(clock, start, titles.get(entry_id, ""), evidence, behind, unit))
    return tuple(sorted(out, key=lambda row: (-row.clock.days, row.clock.clock, row.clock.entry_id)))


def _coverage(view: CaseView) -> tuple[Coverage, ...]:
    return tuple(coverage(name, rows, view.window) for name, rows in by_network(view.days).items())
