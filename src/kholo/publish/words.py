"""What the page calls things: one table per closed list of the model. `docs/words.md` explains them."""

from __future__ import annotations

from kholo.model import ClockKind, EntryKind, Grade, Kind, Outcome, State, Vantage

STATE: dict[State, str] = {
    State.OK: "reachable",
    State.DOWN: "down, no sign of interference",
    State.BLOCKED: "blocked",
    State.THROTTLED: "throttled",
    State.INSUFFICIENT: "not enough data",
}

#: Symbol and word: an outcome never hangs on colour alone.
OUTCOME: dict[Outcome, tuple[str, str]] = {
    Outcome.CONTRADICTED: ("✕", "contradicted"),
    Outcome.SUPPORTED: ("✓", "supported"),
    Outcome.UNDETERMINED: ("?", "undetermined"),
}

GRADE: dict[Grade, str] = {
    Grade.A: "recomputed from raw measurements",
    Grade.B: "per-measurement results of an archive",
    Grade.C: "a published finding of a measurement body",
    Grade.D: "press or user reports",
}

KIND: dict[EntryKind, str] = {
    EntryKind.STATEMENT: "statement",
    EntryKind.DENIAL: "denial",
    EntryKind.ADMISSION: "admission",
    EntryKind.JUSTIFICATION: "justification",
    EntryKind.ORDER: "order",
    EntryKind.STAY: "stay of an order",
    EntryKind.APPEAL: "appeal",
    EntryKind.CONTEMPT: "contempt of court",
    EntryKind.FILING: "court filing",
    EntryKind.HEARING: "hearing",
    EntryKind.LEGAL_BASIS: "legal basis",
    EntryKind.LETTER: "letter",
    EntryKind.QUESTION: "question",
    EntryKind.ANSWER: "answer",
    EntryKind.FINDING: "finding",
    EntryKind.CIVIL_SOCIETY: "civil society",
    EntryKind.EVENT: "event",
}

#: The lanes of the timeline, top to bottom, and the kinds that each one takes.
LANES: tuple[tuple[str, frozenset[EntryKind]], ...] = (
    (
        "Officials said",
        frozenset(
            {
                EntryKind.STATEMENT,
                EntryKind.DENIAL,
                EntryKind.ADMISSION,
                EntryKind.JUSTIFICATION,
                EntryKind.ANSWER,
            }
        ),
    ),
    (
        "Orders and filings",
        frozenset(
            {
                EntryKind.ORDER,
                EntryKind.STAY,
                EntryKind.APPEAL,
                EntryKind.CONTEMPT,
                EntryKind.FILING,
                EntryKind.HEARING,
                EntryKind.LEGAL_BASIS,
            }
        ),
    ),
    ("Findings published", frozenset({EntryKind.FINDING})),
    (
        "Civil society, events",
        frozenset({EntryKind.CIVIL_SOCIETY, EntryKind.EVENT, EntryKind.LETTER, EntryKind.QUESTION}),
    ),
)

CLOCK: dict[ClockKind, tuple[str, str]] = {
    ClockKind.COMPLIANCE: ("days past an order", "Compliance clock: counted from the day an order fell due."),
    ClockKind.SILENCE: ("days without a public reason", "Silence clock: counted until a reason is given."),
}

#: Why what looked like a block is none.
NO_BLOCK: dict[Kind, str] = {
    Kind.SHUT_DOWN: "the line itself was out",
    Kind.SERVICE_DOWN: "the service itself was down",
    Kind.MEASURING_CHANGED: "what changed was the measuring",
}

VANTAGE: dict[Vantage, str] = {
    Vantage.PROBE: "on a user's own line",
    Vantage.HOSTED: "by a device that somebody hosts",
    Vantage.REMOTE: "from outside, through a server in the network",
}

_LAYER = {
    "dns": "name lookup (DNS)",
    "tcp": "connection (TCP)",
    "tls": "encrypted handshake (TLS)",
    "quic": "QUIC",
    "http": "web request (HTTP)",
    "throttle": "speed",
}

_HOW = {
    "bogon": "answered with an address that can't be the service's",
    "nxdomain": "answered that the name does not exist",
    "blockpage": "answered with a block page",
    "timeout": "never answered",
    "refused": "refused",
    "reset": "cut off by a reset",
    "eof": "closed without an answer",
    "mitm": "answered with a certificate that is not the service's",
    "rate": "slowed far below the usual rate",
}


def mechanism(code: str) -> str:
    """`tls.reset` in words; a code that is not known here is shown as it is."""
    layer, _, how = code.partition(".")
    if layer in _LAYER and how in _HOW:
        return f"{_LAYER[layer]}: {_HOW[how]}"
    return code


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 day`, `1,234 days`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
