"""Rows of the API that are not a type of the house as they are: the same public names, and some more."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from msgspec.structs import fields

from kholo.judge.story import Story
from kholo.model import Assessment, Clock, Entry, Grade, Signal, State, Verdict


class CaseRow(msgspec.Struct, frozen=True):
    """A case: what it is about, and its answer in a sentence. `as_of`: the moment (UTC) up to which clocks count.

    `titles`: what it is called in other languages, by their codes.
    """

    case: str
    title: str
    service: str
    place: str
    summary: str
    start: date
    end: date | None
    answer: str
    state: State
    grade: Grade | None
    limits: tuple[str, ...]
    measurements: int
    entries: int
    assessments: int
    clocks: int
    as_of: datetime
    digest: str
    simulated: bool
    titles: dict[str, str] = {}


class EntryRow(Entry, frozen=True, kw_only=True):
    """An entry of a case's record."""

    case: str
    simulated: bool


class AssessmentRow(Assessment, frozen=True, kw_only=True):
    """A claim set against the evidence."""

    case: str
    simulated: bool


class ClockRow(Clock, frozen=True, kw_only=True):
    """Days counted."""

    case: str
    simulated: bool


#: What the model has of a signal, but for the place in a file; `simulated` last, as in the other rows.
SignalRow = msgspec.defstruct(
    "SignalRow",
    sorted(
        ((field.name, field.type) for field in fields(Signal) if field.name not in {"file", "line"}),
        key=lambda field: field[0] == "simulated",
    ),
    namespace={"__doc__": "What an archive says of a whole line."},
    module=__name__,
    frozen=True,
)


class ServiceRow(msgspec.Struct, frozen=True):
    """A service: of the hosts in `all_of` each is needed, of `any_of` one is enough, `hosts` just belong to it."""

    service: str
    name: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    hosts: tuple[str, ...]
    tests: tuple[str, ...]
    simulated: bool


class NetworkRow(msgspec.Struct, frozen=True):
    """A network of a country: how many verdicts there are, and of how many services. Times are UTC."""

    network: str
    place: str
    verdicts: int
    services: int
    first: datetime
    last: datetime
    simulated: bool


class Explained(Verdict, frozen=True, kw_only=True):
    """A verdict and how it came about.

    `stories` has one item for each copy that the archive holds; none where only the verdict is kept here. `listed`
    names test lists that hold the address. `report_networks` are those of the report that the measurement is of: with
    more than one the person changed lines, or the id of the report is not what it says.
    """

    stories: tuple[Story, ...]
    listed: tuple[str, ...]
    report_networks: tuple[str, ...]


class ProblemKind(msgspec.Struct, frozen=True):
    """A kind of problem, as `type` of an answer that is one names it."""

    name: str
    status: int
    title: str
    meaning: str


class Proofs(msgspec.Struct, frozen=True):
    """A few results that show an incident, by time; `slow` are those of them whose speed does."""

    verdicts: tuple[Verdict, ...]
    slow: tuple[str, ...] = ()
