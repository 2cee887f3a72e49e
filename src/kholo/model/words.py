"""The field's words as closed lists. `docs/words.md` says what each one means."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What a measurement, a cell or an incident says of a service.

    `INSUFFICIENT` is the evidence floor: there is no "blocked, low confidence".
    """

    OK = "ok"
    DOWN = "down"
    BLOCKED = "blocked"
    THROTTLED = "throttled"
    INSUFFICIENT = "insufficient"


#: The states that say somebody came between the person and the service.
IMPAIRED = frozenset({State.BLOCKED, State.THROTTLED})


class Kind(StrEnum):
    """What sort of event an incident is. Only the first two say that somebody came between a person and the service."""

    BLOCKED = "blocked"
    THROTTLED = "throttled"
    SHUT_DOWN = "shut_down"
    SERVICE_DOWN = "service_down"
    MEASURING_CHANGED = "measuring_changed"


class Layer(StrEnum):
    """Where in the stack something was seen."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    QUIC = "quic"
    HTTP = "http"
    THROTTLE = "throttle"


class Vantage(StrEnum):
    """Who looked: the volunteer's probe, or the test helper it asked (the control).

    Of a whole measurement: `PROBE`, an app that a person runs on their own line; `HOSTED`, a device with an id of
    its own that somebody hosts (RIPE Atlas); `REMOTE`, somebody outside, through a server that stands in the
    network (Censored Planet). Only `PROBE` is a user's line.
    """

    PROBE = "probe"
    CONTROL = "control"
    HOSTED = "hosted"
    REMOTE = "remote"


class SignalKind(StrEnum):
    """What a signal says of a line: a level at a time, or that it was out from then to then."""

    LEVEL = "level"
    OUTAGE = "outage"


class Locus(StrEnum):
    """Who interfered, as far as the evidence goes: the resolver asked, or the network on the path."""

    RESOLVER = "resolver"
    NETWORK = "network"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How far one rule's evidence carries. Nothing seen is not the same as seen and worthless."""

    NONE = "none"
    UNUSABLE = "unusable"
    CLEAR = "clear"
    MODERATE = "moderate"
    STRONG = "strong"


class EntryKind(StrEnum):
    """What sort of entry of the record this is."""

    STATEMENT = "statement"
    DENIAL = "denial"
    ADMISSION = "admission"
    JUSTIFICATION = "justification"
    ORDER = "order"
    STAY = "stay"
    APPEAL = "appeal"
    CONTEMPT = "contempt"
    FILING = "filing"
    HEARING = "hearing"
    LEGAL_BASIS = "legal-basis"
    LETTER = "letter"
    QUESTION = "question"
    ANSWER = "answer"
    FINDING = "finding"
    CIVIL_SOCIETY = "civil-society"
    EVENT = "event"


class EventKind(StrEnum):
    """What sort of event in the world an entry of the kind `event` is."""

    ELECTION = "election"
    PROTEST = "protest"
    EXAM = "exam"
    CONFLICT = "conflict"
    OTHER = "other"


class Outcome(StrEnum):
    """How a proposition stands against the evidence."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNDETERMINED = "undetermined"


class Reason(StrEnum):
    """Why an assessment is undetermined."""

    NO_COVERAGE = "no_coverage"
    BELOW_FLOOR = "below_floor"
    DISAGREE = "evidence_disagrees"
    IN_PART = "true_in_part"
    OTHER_STATE = "other_state"
    CHANGED = "changed_that_day"
    NO_BLOCK = "line_or_service_down"
    NOT_OVER = "not_over"


class Extent(StrEnum):
    """How much of what was claimed is as the outcome says: all of it, or a part while another part is otherwise."""

    WHOLE = "whole"
    PART = "part"


class Grade(StrEnum):
    """What an assessment rests on, strongest first.

    A: recomputed here from raw measurements. B: per-measurement results of an archive.
    C: a published finding of a measurement body. D: press or users.
    """

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Answered(StrEnum):
    """How a question of the three-part test is answered."""

    SHOWN = "shown"
    CLAIMED = "claimed"
    DISPUTED = "disputed"
    NONE_FOUND = "none_found"
    OPEN = "open"


class ClockKind(StrEnum):
    """What a clock counts: days since an order was due, days without a reason or an answer, days until a retraction."""

    COMPLIANCE = "compliance"
    SILENCE = "silence"
    RETRACTION = "retraction"


class Standing(StrEnum):
    """How an order stands, on one network or across the place, as far as the evidence goes."""

    MET_THROUGHOUT = "met_throughout"
    MET = "met"
    RELAPSED = "relapsed"
    NEVER = "never"
