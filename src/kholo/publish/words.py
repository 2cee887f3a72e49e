"""What the page calls things: one table per closed list of the model. `docs/words.md` explains them."""

from __future__ import annotations

from collections.abc import Container

from kholo.model import (
    Answered,
    Clock,
    ClockKind,
    EntryKind,
    Grade,
    Kind,
    Outcome,
    Reason,
    Standing,
    State,
    Vantage,
)
from kholo.reference import load_services

from .language import ENGLISH, Language, marked

STATE: dict[State, str] = {
    State.OK: marked("reachable"),
    State.DOWN: marked("down, no sign of interference"),
    State.BLOCKED: marked("blocked"),
    State.THROTTLED: marked("throttled"),
    State.INSUFFICIENT: marked("not enough data"),
}

#: Symbol and word: an outcome never hangs on colour alone.
OUTCOME: dict[Outcome, tuple[str, str]] = {
    Outcome.CONTRADICTED: ("✕", marked("contradicted")),
    Outcome.SUPPORTED: ("✓", marked("supported")),
    Outcome.UNDETERMINED: ("?", marked("undetermined")),
}

GRADE: dict[Grade, str] = {
    Grade.A: marked("recomputed from raw measurements"),
    Grade.B: marked("per-measurement results of an archive"),
    Grade.C: marked("a published finding of a measurement body"),
    Grade.D: marked("press or user reports"),
}

KIND: dict[EntryKind, str] = {
    EntryKind.STATEMENT: marked("statement"),
    EntryKind.DENIAL: marked("denial"),
    EntryKind.ADMISSION: marked("admission"),
    EntryKind.JUSTIFICATION: marked("justification"),
    EntryKind.ORDER: marked("order"),
    EntryKind.STAY: marked("stay of an order"),
    EntryKind.APPEAL: marked("appeal"),
    EntryKind.CONTEMPT: marked("contempt of court"),
    EntryKind.FILING: marked("court filing"),
    EntryKind.HEARING: marked("hearing"),
    EntryKind.LEGAL_BASIS: marked("legal basis"),
    EntryKind.LETTER: marked("letter"),
    EntryKind.QUESTION: marked("question"),
    EntryKind.ANSWER: marked("answer"),
    EntryKind.FINDING: marked("finding"),
    EntryKind.CIVIL_SOCIETY: marked("civil society"),
    EntryKind.EVENT: marked("event"),
}

#: The lanes of the timeline, top to bottom, and the kinds that each one takes.
LANES: tuple[tuple[str, frozenset[EntryKind]], ...] = (
    (
        marked("Said in public"),
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
        marked("Orders, filings, letters"),
        frozenset(
            {
                EntryKind.ORDER,
                EntryKind.STAY,
                EntryKind.APPEAL,
                EntryKind.CONTEMPT,
                EntryKind.FILING,
                EntryKind.HEARING,
                EntryKind.LEGAL_BASIS,
                EntryKind.LETTER,
            }
        ),
    ),
    (marked("Findings published"), frozenset({EntryKind.FINDING})),
    (
        marked("Civil society, events"),
        frozenset({EntryKind.CIVIL_SOCIETY, EntryKind.EVENT, EntryKind.QUESTION}),
    ),
)

CLOCK: dict[ClockKind, str] = {
    ClockKind.COMPLIANCE: marked("days past an order"),
    ClockKind.SILENCE: marked("days without a public reason"),
    ClockKind.RETRACTION: marked("days until it was taken back"),
}


def clock_unit(clock: Clock, asking: Container[str]) -> str:
    """What a clock's days are days of. `asking`: the entries that ask for something."""
    if clock.clock is ClockKind.SILENCE and clock.entry_id in asking:
        return marked("days without an answer")
    return CLOCK[clock.clock]


STANDING: dict[Standing, str] = {
    Standing.MET_THROUGHOUT: marked("met throughout"),
    Standing.MET: marked("met late"),
    Standing.RELAPSED: marked("met, and then not any more"),
    Standing.NEVER: marked("not met"),
}

#: Why an assessment is undetermined, in a few words.
REASON: dict[Reason, str] = {
    Reason.NO_COVERAGE: marked("nothing covers it"),
    Reason.BELOW_FLOOR: marked("too little measured"),
    Reason.DISAGREE: marked("evidence disagrees"),
    Reason.IN_PART: marked("true in part, as far as known"),
    Reason.OTHER_STATE: marked("impaired in another way"),
    Reason.CHANGED: marked("changed that day"),
    Reason.NO_BLOCK: marked("line or service down"),
    Reason.NOT_OVER: marked("not over yet"),
}

ANSWERED: dict[Answered, str] = {
    Answered.SHOWN: marked("shown"),
    Answered.CLAIMED: marked("claimed"),
    Answered.DISPUTED: marked("in dispute"),
    Answered.NONE_FOUND: marked("none found"),
    Answered.OPEN: marked("open"),
}

#: Why what looked like a block is none.
NO_BLOCK: dict[Kind, str] = {
    Kind.SHUT_DOWN: marked("the line itself was out"),
    Kind.SERVICE_DOWN: marked("the service itself was down"),
    Kind.MEASURING_CHANGED: marked("what changed was the measuring"),
}

VANTAGE: dict[Vantage, str] = {
    Vantage.PROBE: marked("on a user's own line"),
    Vantage.HOSTED: marked("by a device that somebody hosts"),
    Vantage.REMOTE: marked("from outside, through a server in the network"),
}

#: What archives of outages look at; `docs/signals.md`.
SIGNAL: dict[str, str] = {
    "bgp": marked("announced routes"),
    "ping-slash24": marked("answers to pings"),
    "merit-nt": marked("noise into an unused network"),
    "gtr": marked("traffic to one company"),
    "annotation": marked("an outage that somebody noted"),
    "annotation-part": marked("an outage of a part that somebody noted"),
    "anomaly": marked("traffic that fell"),
    "anomaly-unverified": marked("traffic that fell, checked by nobody"),
}

#: Stands on every page, picture and data file of a case with anything invented in it.
NOTICE = marked("SIMULATED DATA. Nothing on this page happened.")
UNREAD = marked("Machine text: no person has reviewed the translation of this page yet. The English page decides.")

#: What an actor is; a role that is not known here is shown as it is.
ROLE: dict[str, str] = {
    "regulator": marked("regulator"),
    "government": marked("government"),
    "court": marked("court"),
    "measurement-body": marked("measurement body"),
    "press": marked("press"),
    "civil-society": marked("civil society organisation"),
    "party": marked("party to a case"),
    "company": marked("company"),
    "users": marked("users"),
    "other": marked("other"),
}

#: The parts of the three-part test.
PART: dict[str, str] = {
    "legality": marked("Legality"),
    "legitimate aim": marked("Legitimate aim"),
    "necessity and proportionality": marked("Necessity and proportionality"),
    "remedy": marked("Remedy"),
}

_LAYER = {
    "dns": marked("name lookup (DNS)"),
    "tcp": marked("connection (TCP)"),
    "tls": marked("encrypted handshake (TLS)"),
    "quic": marked("QUIC"),
    "http": marked("web request (HTTP)"),
    "throttle": marked("speed"),
}

_HOW = {
    "bogon": marked("answered with an address that can't be the service's"),
    "nxdomain": marked("answered that the name does not exist"),
    "no_answer": marked("answered without an address"),
    "wrong_answer": marked("answered with an address that does not serve the name"),
    "injected": marked("answered by somebody on the way"),
    "blockpage": marked("answered with a block page"),
    "timeout": marked("never answered"),
    "refused": marked("refused"),
    "reset": marked("cut off by a reset"),
    "eof": marked("closed without an answer"),
    "mitm": marked("answered with a certificate that is not the service's"),
    "rate": marked("slowed far below the usual rate"),
    "failure": marked("failed, and how is not known"),
}

_BLOCK_PAGE = marked("a block page, at a step that is not known")


def mechanism(code: str, language: Language = ENGLISH) -> str:
    """`tls.reset` in words; a code that is not known here is shown as it is."""
    layer, _, how = code.partition(".")
    if code == "blockpage":
        return language.say(_BLOCK_PAGE)
    if layer in _LAYER and how in _HOW:
        return f"{language.say(_LAYER[layer])}: {language.say(_HOW[how])}"
    return code


def names_of_service(name: str, language: Language) -> str:
    """All that people call a service, such as `X, Twitter`; one that the registry does not have has its name alone."""
    known = (one.names for one in load_services().services if one.name == name)
    return language.about("service", next(known, name))


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 day`, `1,234 days`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def begun(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
