"""Constructed views for the tests of the publish room."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from kholo.detect import Outage
from kholo.model import (
    Actor,
    Assessment,
    Bracket,
    Case,
    Clock,
    ClockKind,
    Collapse,
    DayState,
    Entry,
    EntryKind,
    Evidence,
    Grade,
    Incident,
    Kind,
    Layer,
    Locus,
    NetworkSpell,
    Obligation,
    Outcome,
    Proposition,
    Source,
    State,
    Vantage,
    Verdict,
)
from kholo.publish import CaseView, Elsewhere, Others, Versions

NETWORKS = ("AS64500", "AS64501", "AS64502")
ONSET = datetime(2025, 3, 10, 9, tzinfo=UTC)
END = datetime(2025, 4, 5, 18, tzinfo=UTC)
AS_OF = datetime(2025, 6, 1, tzinfo=UTC)
VERSIONS = Versions(kholo="0.1.0", ruleset="a" * 64, reference="b" * 64, case="c" * 64)


def utc(year: int, month: int, day: int) -> datetime:
    """Midnight UTC."""
    return datetime(year, month, day, tzinfo=UTC)


def source(address: str = "https://example.org/story", publisher: str = "The Example") -> Source:
    """A source with every optional part filled in."""
    return Source(
        address=address,
        publisher=publisher,
        read=date(2025, 5, 1),
        date=date(2025, 3, 11),
        quote="سروس بند نہیں",
        language="ur",
        archived="sources/story.html",
        sha256="d" * 64,
    )


def entry(identifier: str, kind: EntryKind, when: date, *, latest: date | None = None, **more: object) -> Entry:
    """One entry of the record; `more` sets any other field."""
    fields: dict[str, object] = {
        "id": identifier,
        "kind": kind,
        "earliest": when,
        "latest": latest or when,
        "actor": "authority",
        "title": f"Title of {identifier}",
        "summary": f"Summary of {identifier}.",
        "sources": (source(),),
    }
    return Entry(**(fields | more))  # type: ignore[arg-type]


def claim(state: State, start: datetime, end: datetime) -> Proposition:
    """A proposition on the whole place."""
    return Proposition(service="chirp", place="PK", state=state, start=start, end=end)


def record() -> tuple[Entry, ...]:
    """A denial, an order, a finding, an admission and an event."""
    return (
        entry(
            "2025-03-12-denial",
            EntryKind.DENIAL,
            date(2025, 3, 12),
            latest=date(2025, 3, 14),
            proposition=claim(State.OK, utc(2025, 3, 10), utc(2025, 3, 13)),
        ),
        entry(
            "2025-03-20-order",
            EntryKind.ORDER,
            date(2025, 3, 20),
            actor="court",
            obligation=Obligation("chirp", "PK", State.OK, utc(2025, 3, 21)),
        ),
        entry(
            "2025-03-22-finding",
            EntryKind.FINDING,
            date(2025, 3, 22),
            actor="observatory",
            proposition=claim(State.BLOCKED, utc(2025, 3, 10), utc(2025, 3, 22)),
        ),
        entry(
            "2025-04-01-admission",
            EntryKind.ADMISSION,
            date(2025, 4, 1),
            gives_reason=True,
            contradicts=("2025-03-12-denial",),
            retracts=("2025-03-12-denial",),
        ),
        entry("2025-04-05-event", EntryKind.EVENT, date(2025, 4, 5), actor="press"),
    )


def case(entries: tuple[Entry, ...] = (), *, simulated: bool = False, **more: object) -> Case:
    """A case on Chirp in Pakistan, March to May 2025."""
    fields: dict[str, object] = {
        "id": "chirp-test",
        "title": "Chirp in Pakistan, 2025",
        "service": "chirp",
        "place": "PK",
        "summary": "What was said about Chirp, and what was measured.",
        "start": date(2025, 3, 1),
        "end": date(2025, 4, 30),
        "simulated": simulated,
        "actors": (
            Actor("authority", "The Authority", "regulator"),
            Actor("court", "The High Court", "court"),
            Actor("observatory", "The Observatory", "measurement-body"),
            Actor("press", "The Press", "press"),
        ),
        "entries": entries,
        "digest": "c" * 64,
        "limits": ("Mobile networks in the south were not measured.",),
    }
    return Case(**(fields | more))  # type: ignore[arg-type]


def days(*, simulated: bool = False) -> tuple[DayState, ...]:
    """Two months on three networks: blocked inside the incident, a gap on the second network."""
    out = []
    for position, network in enumerate(NETWORKS):
        for number in range(60):
            day = date(2025, 3, 2) + timedelta(days=number)
            if position == 1 and 20 <= number < 26:
                continue
            inside = ONSET.date() <= day <= END.date()
            state = State.BLOCKED if inside else State.OK
            state = State.INSUFFICIENT if position == 2 and number % 9 == 0 else state
            state = State.THROTTLED if position == 2 and number in {39, 40} else state
            state = State.DOWN if position == 0 and number == 50 else state
            blocked = 5 if state is State.BLOCKED else 0
            out.append(DayState("chirp", "PK", network, day, state, 5 - blocked, blocked, 0, 0, 1, 3, simulated))
    return tuple(out)


def incident(*, end: Bracket | None, simulated: bool = False, grade: Grade = Grade.A) -> Incident:
    """One block on all three networks."""
    onset = Bracket(ONSET - timedelta(hours=30), ONSET)
    spells = tuple(NetworkSpell(name, State.BLOCKED, onset, end, END, 40, 130) for name in NETWORKS)
    return Incident(
        "chirp-pk-20250310",
        "chirp",
        "PK",
        NETWORKS,
        State.BLOCKED,
        ("tls.reset", "dns.bogon"),
        onset,
        end,
        END,
        120,
        390,
        grade,
        spells,
        simulated,
    )


def verdict(uid: str, *, simulated: bool = False) -> Verdict:
    """A verdict that proves the incident."""
    return Verdict(
        measurement_uid=uid,
        input="https://chirp.example/",
        test_name="web_connectivity",
        measured_at=ONSET + timedelta(hours=1),
        service="chirp",
        place="PK",
        network="AS64500",
        state=State.BLOCKED,
        layer=Layer.TLS,
        mechanism="tls.reset",
        also=(),
        reachable=False,
        locus=Locus.NETWORK,
        evidence=Evidence.STRONG,
        grade=Grade.A,
        rule_id="tls-reset-proven-address",
        ruleset="a" * 64,
        reference="b" * 64,
        simulated=simulated,
    )


def assessments() -> tuple[Assessment, ...]:
    """The denial against the incident, the finding supported by it."""
    return (
        Assessment(
            "2025-03-12-denial",
            EntryKind.DENIAL,
            date(2025, 3, 12),
            Outcome.CONTRADICTED,
            Grade.A,
            "Blocked on 3 of 3 networks for the whole of that time",
            ("2025-03-22-finding", "chirp-pk-20250310"),
            45,
            3,
        ),
        Assessment(
            "2025-03-22-finding",
            EntryKind.FINDING,
            date(2025, 3, 22),
            Outcome.SUPPORTED,
            Grade.A,
            "Blocked on 3 of 3 networks",
            ("chirp-pk-20250310",),
            45,
            3,
        ),
    )


def clocks() -> tuple[Clock, ...]:
    """Compliance, over all and by network, and silence."""
    due = utc(2025, 3, 21)
    kind = ClockKind.COMPLIANCE
    return (
        Clock(kind, "2025-03-20-order", due, END, 15, "Service came back", Grade.A, None, ("chirp-pk-20250310",)),
        *(Clock(kind, "2025-03-20-order", due, END, 15, "Came back", Grade.A, name) for name in NETWORKS),
        Clock(ClockKind.SILENCE, "2025-03-12-denial", ONSET, None, 82, "No public reason was given", None),
    )


def view(which: Case, **more: object) -> CaseView:
    """A view with nothing computed; `more` sets any other field."""
    fields: dict[str, object] = {
        "case": which,
        "incidents": (),
        "days": (),
        "assessments": (),
        "clocks": (),
        "states": {},
        "measurements": 0,
        "rejects": 0,
        "network_names": {},
        "as_of": AS_OF,
        "versions": VERSIONS,
        "service_name": "Chirp",
    }
    return CaseView(**(fields | more))  # type: ignore[arg-type]


def others(*, simulated: bool = False) -> Others:
    """An incident taken back, an outage of the country and one of a network, a collapse, and two who looked."""
    taken = msgspec.structs.replace(
        incident(end=Bracket(END, END), simulated=simulated),
        incident_id="chirp-PK-down-20250310",
        kind=Kind.SHUT_DOWN,
        state=State.DOWN,
        because=("30 of 30 failed reports lie in hours in which the line was out: ioda bgp",),
    )
    outage = Outage(ONSET, "AS64500", "ioda bgp", "ioda", "bgp", ONSET + timedelta(hours=9), 0.93, True, "median")
    country = Outage(ONSET, "", "", "radar", "annotation-part", None, None, False, "regional, cable_cut")
    return Others(
        taken_back=(taken,),
        outages=(outage, country),
        collapses=(Collapse("PK", "AS64500", ONSET, None, 14.2, 3, 1e-5, simulated, ("ioda",)),),
        elsewhere=(
            Elsewhere(Vantage.REMOTE, "censoredplanet", date(2025, 3, 1), 2, {State.BLOCKED: 1_240}, simulated),
            Elsewhere(Vantage.HOSTED, "ripeatlas", date(2025, 3, 1), 1, {State.OK: 7}, simulated),
        ),
        names={"ioda": "IODA", "radar": "Cloudflare Radar", "ripeatlas": "RIPE Atlas"},
    )


def full_view(*, simulated: bool = False, case_id: str = "chirp-test") -> CaseView:
    """Everything that a view can hold."""
    return view(
        case(record(), simulated=simulated, id=case_id),
        incidents=(incident(end=Bracket(END, END + timedelta(hours=20)), simulated=simulated),),
        days=days(simulated=simulated),
        assessments=assessments(),
        clocks=clocks(),
        states={State.BLOCKED: 390, State.OK: 420, State.INSUFFICIENT: 60},
        measurements=870,
        rejects=3,
        network_names={"AS64500": "First Telecom", "AS64501": "Second Mobile"},
        proofs={
            "chirp-pk-20250310": (
                verdict("20250310100000.000001_PK_webconnectivity_0a1b2c3d4e5f6071", simulated=simulated),
            )
        },
        others=others(simulated=simulated),
    )
