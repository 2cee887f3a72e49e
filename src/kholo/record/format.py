"""The case format as data: every key with its type, where it may stand and what it says.

Reading, the JSON Schema, `kholo case add` and `kholo case fmt` all go by these tables; the order of the keys is
the order in which `fmt` writes them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from kholo.model import EntryKind, EventKind, State

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
#: States of the world that can be claimed or ordered.
CLAIMS = (State.OK.value, State.BLOCKED.value, State.THROTTLED.value)
#: Characters of a text, of one line, and of a quote: a quote is a few sentences, not the article.
MAX_TEXT, MAX_LINE, MAX_QUOTE = 20_000, 500, 2_000


class What(StrEnum):
    """What a value is."""

    IDENTITY = "identity"
    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    PLACE = "place"
    LANGUAGE = "language"
    ADDRESS = "address"
    PATH = "path"
    DIGEST = "digest"
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"
    LINES = "lines"
    ENTRIES = "entries"
    NETWORKS = "networks"
    TABLE = "table"
    TABLES = "tables"


class Among(StrEnum):
    """Lists of words that are not closed: they come from the registry and from the case itself."""

    SERVICES = "a service of the registry"
    ACTORS = "an actor of case.toml"


class Key(msgspec.Struct, frozen=True):
    """One key. `only`: the kinds of entry it may stand in (empty: all); `must`: the kinds that need it.

    `targets`: of a link, the kinds that it may lead to (empty: all).
    """

    name: str
    what: What
    says: str
    is_needed: bool = False
    among: tuple[str, ...] | Among = ()
    called: str = "allowed"
    longest: int = MAX_TEXT
    shape: Shape | None = None
    only: frozenset[EntryKind] = frozenset()
    must: frozenset[EntryKind] = frozenset()
    targets: frozenset[EntryKind] = frozenset()
    is_acyclic: bool = False
    gloss: str = ""


class Shape(msgspec.Struct, frozen=True):
    """The keys of one table."""

    title: str
    keys: tuple[Key, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys, in their order."""
        return tuple(key.name for key in self.keys)

    def key(self, name: str) -> Key | None:
        """One of its keys."""
        return next((key for key in self.keys if key.name == name), None)


def _service() -> Key:
    return Key("service", What.CHOICE, "id of a service in the registry", True, Among.SERVICES, Among.SERVICES)


_PLACE = Key("place", What.PLACE, "country, ISO 3166 alpha-2", True)
_NETWORKS = Key("networks", What.NETWORKS, "only on these networks; left out: across the place")
_STATE = Key("state", What.CHOICE, "`ok`, `blocked` or `throttled`", True, CLAIMS, "a state")

ACTOR = Shape(
    "an actor",
    (
        Key("id", What.IDENTITY, "unique in the case", True),
        Key("name", What.LINE, "the name, with the office it is spoken in", True, longest=MAX_LINE),
        Key("role", What.CHOICE, "decides what a finding weighs", True, ROLES, "a role"),
    ),
)
CASE = Shape(
    "this file",
    (
        Key("id", What.IDENTITY, "name of the case in addresses", True),
        Key("title", What.LINE, "what it is called", True, longest=MAX_LINE),
        _service(),
        _PLACE,
        Key("summary", What.TEXT, "a paragraph", True),
        Key("start", What.DAY, "the first day that the case asks about", True),
        Key("end", What.DAY, "the last day; left out, the case is open"),
        Key("simulated", What.FLAG, "an invented case; it sees simulated measurements only, a real one real ones only"),
        Key("limits", What.LINES, "sentences: what is not known"),
        Key("actor", What.TABLES, "who speaks, orders or finds", True, shape=ACTOR),
    ),
)
SOURCE = Shape(
    "a source",
    (
        Key("address", What.ADDRESS, "where it was read; left out only where there is none, which `notes` then says"),
        Key("publisher", What.LINE, "who published it", True, longest=MAX_LINE),
        Key("title", What.LINE, "its headline or title", longest=MAX_LINE),
        Key("read", What.DAY, "the day it was read for this entry", True),
        Key("date", What.DAY, "the day it was published"),
        Key("language", What.LANGUAGE, "language of the source and the quote, BCP 47; left out: `en`"),
        Key("quote", What.TEXT, "a few words of the original, in its own script", longest=MAX_QUOTE),
        Key("translation", What.TEXT, "the quote in English", longest=MAX_QUOTE),
        Key("archived", What.PATH, "archived copy: a path inside the case folder"),
        Key("sha256", What.DIGEST, "SHA-256 of the archived copy, hex"),
    ),
)
PROPOSITION = Shape(
    "[proposition]",
    (
        _service(),
        _PLACE,
        _STATE,
        Key("from", What.MOMENT, "the first moment that the claim speaks of, UTC", True),
        Key("to", What.MOMENT, "its end, not included", True),
        _NETWORKS,
    ),
)
OBLIGATION = Shape(
    "[obligation]",
    (
        _service(),
        _PLACE,
        _STATE,
        Key("due", What.MOMENT, "from when on it must be so, UTC", True),
        Key("until", What.MOMENT, "when the order lapses, if it does"),
        _NETWORKS,
    ),
)
STAY = Shape(
    "[stay]",
    (
        Key("from", What.MOMENT, "from when on the stay holds; left out: from the day of the entry"),
        Key("until", What.MOMENT, "its end, not included; left out: until further"),
    ),
)
REPLY = Shape("[reply]", (Key("due", What.MOMENT, "from when on an answer is overdue", True),))
LEGAL_BASIS = Shape(
    "a legal basis",
    (
        Key("statute", What.LINE, "id of the law data, or the name of the law", True, longest=MAX_LINE),
        Key("section", What.LINE, "section, article or rule", longest=MAX_LINE),
        Key("says", What.TEXT, "short paraphrase of what it says", longest=MAX_QUOTE),
        Key(
            "claimed_by",
            What.CHOICE,
            "actor who rests on it; left out: the entry's own",
            among=Among.ACTORS,
            called=Among.ACTORS,
        ),
    ),
)

_K = EntryKind
ASKING = frozenset({_K.QUESTION, _K.LETTER})
SIGNED = frozenset({_K.CIVIL_SOCIETY, _K.LETTER})

ENTRY = Shape(
    "this file",
    (
        Key("id", What.IDENTITY, "unique in the case", True),
        Key("kind", What.CHOICE, "what sort of entry", True, tuple(EntryKind), "a kind of entry"),
        Key("date", What.DAY, "when it happened"),
        Key("earliest", What.DAY, "an uncertain day: not before"),
        Key("latest", What.DAY, "an uncertain day: not after"),
        Key("actor", What.CHOICE, "id of an actor of `case.toml`", True, Among.ACTORS, Among.ACTORS),
        Key("title", What.LINE, "a line", True, longest=MAX_LINE),
        Key("summary", What.TEXT, "a paraphrase in your own words", True),
        Key("notes", What.TEXT, "how sources were read, where they disagree"),
        Key("event", What.CHOICE, "what sort of event", among=tuple(EventKind), only=frozenset({_K.EVENT})),
        Key(
            "request",
            What.CHOICE,
            "put under a right-to-information law",
            among=("information",),
            only=ASKING,
        ),
        Key("gives_reason", What.FLAG, "gives a public reason for the block: the first one stops the silence clock"),
        Key("contradicts", What.ENTRIES, "entries that say otherwise"),
        Key("retracts", What.ENTRIES, "entries taken back by this one", is_acyclic=True, gloss="retractions"),
        Key(
            "stays",
            What.ENTRIES,
            "orders that this stay suspends",
            only=frozenset({_K.STAY}),
            must=frozenset({_K.STAY}),
            targets=frozenset({_K.ORDER}),
            is_acyclic=True,
            gloss="stays",
        ),
        Key(
            "appeals",
            What.ENTRIES,
            "orders that this appeal is against",
            only=frozenset({_K.APPEAL}),
            must=frozenset({_K.APPEAL}),
            targets=frozenset({_K.ORDER, _K.STAY, _K.CONTEMPT}),
            is_acyclic=True,
            gloss="appeals",
        ),
        Key(
            "contempt_of",
            What.ENTRIES,
            "orders that were not obeyed",
            only=frozenset({_K.CONTEMPT}),
            must=frozenset({_K.CONTEMPT}),
            targets=frozenset({_K.ORDER}),
        ),
        Key(
            "answers",
            What.ENTRIES,
            "questions and letters that this answers",
            only=frozenset({_K.ANSWER, _K.LETTER}),
            must=frozenset({_K.ANSWER}),
            targets=ASKING,
            is_acyclic=True,
            gloss="answers",
        ),
        Key("signatories", What.LINES, "who signed", longest=MAX_LINE, only=SIGNED),
        Key("signatories_file", What.PATH, "a CSV inside the folder, with a column `name`", only=SIGNED),
        Key("source", What.TABLES, "where it was read", True, shape=SOURCE),
        Key("proposition", What.TABLE, "what the entry claims about the world", shape=PROPOSITION),
        Key("obligation", What.TABLE, "what an order demands", shape=OBLIGATION, only=frozenset({_K.ORDER})),
        Key("stay", What.TABLE, "how long a stay holds", shape=STAY, only=frozenset({_K.STAY})),
        Key("reply", What.TABLE, "the answer that is waited for", shape=REPLY, only=ASKING),
        Key(
            "legal_basis",
            What.TABLES,
            "laws that somebody rests on",
            shape=LEGAL_BASIS,
            must=frozenset({_K.LEGAL_BASIS}),
        ),
    ),
)
LINKS = tuple(key for key in ENTRY.keys if key.what is What.ENTRIES)
