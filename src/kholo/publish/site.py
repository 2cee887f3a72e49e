"""What the whole site is made from: the cases with all that was computed, and what their pages have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from kholo.judge.story import Telling
from kholo.model import Clock, ClockKind, DayState, Incident, UsageError, Verdict

from . import catalogue
from .answer import case_incidents
from .font import Font, FontMaker
from .language import Language, language, language_codes
from .recorded import translated
from .rows import CasePage, case_page
from .safe import folder_name
from .spans import network_key
from .view import CaseView


class Sealed(msgspec.Struct, frozen=True):
    """Who vouches for a dossier: the fingerprints of the keys that signed it, and when (UTC) an authority saw it.

    `unknown` counts timestamps of authorities that nobody here knows.
    """

    keys: tuple[str, ...] = ()
    times: tuple[tuple[datetime, str], ...] = ()
    unknown: int = 0


class Dossier(msgspec.Struct, frozen=True):
    """A sealed dossier of a case: file name, root digest (hex), and its place in the transparency log, if any.

    `sha256` (hex) and `size` are those of the file, `origin` is the name of the log. `later` are the entries of the log
    that replaced this one, `supersedes` is the one that it replaced. `sealed` is None where its signatures could not be
    checked when the site was made.
    """

    file: str
    root: str
    index: int | None = None
    as_of: datetime | None = None
    sha256: str = ""
    size: int = 0
    origin: str = ""
    supersedes: int | None = None
    later: tuple[int, ...] = ()
    sealed: Sealed | None = None

    @property
    def short(self) -> str:
        """What names it in addresses."""
        return self.root[:16]


class Listed(msgspec.Struct, frozen=True):
    """A file of the site that is no page: its path, bytes, and SHA-256 (hex)."""

    path: str
    size: int
    sha256: str


class Key(msgspec.Struct, frozen=True):
    """The public key of who publishes the site: a name for it, its fingerprint, and its line as in a .pub file."""

    name: str
    fingerprint: str
    line: str


class Attached(msgspec.Struct, frozen=True):
    """What the site carries beside its pages.

    `copies` maps what is copied as it is to where it lies now. `earlier` are the dossiers of a case that were replaced.
    `contact` is the mail or web address to which readers write, or "".
    """

    copies: Mapping[Listed, Path] = msgspec.field(default_factory=dict)
    earlier: Mapping[str, tuple[Dossier, ...]] = msgspec.field(default_factory=dict)
    key: Key | None = None
    contact: str = ""


class Calendar(msgspec.Struct, frozen=True):
    """Days of some networks; the first and the last day that are drawn, both inside."""

    days: tuple[DayState, ...] = ()
    window: tuple[date, date] = (date.min, date.min)


class Outside(msgspec.Struct, frozen=True):
    """Measurements and incidents that stand in no case, by id, each with what its service is called.

    `proofs` are results that show an incident, by its id, and `calendars` the days around it; `slow` are the results
    whose speed does; `cases` those of the same service and country, by id, with their titles by language. `stands` says
    whether there is a page at a path below a language that is not made from this site, and `as_of` up to which moment
    those count (UTC).
    """

    measurements: Mapping[str, tuple[str, Verdict]] = msgspec.field(default_factory=dict)
    incidents: Mapping[str, tuple[str, Incident]] = msgspec.field(default_factory=dict)
    proofs: Mapping[str, Sequence[Verdict]] = msgspec.field(default_factory=dict)
    calendars: Mapping[str, Calendar] = msgspec.field(default_factory=dict)
    slow: frozenset[str] = frozenset()
    cases: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    stands: Callable[[str], bool] = lambda _path: False
    as_of: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class Site:
    """Cases by id, in order of id, and the indexes over all of them. Nothing in it changes once it is made.

    `dossiers` maps a case id to its dossier, `stories` the uid of a measurement to its story, `address` is where the
    site stands on the web ("": not known), `fonts` cuts a font for Urdu down to letters, `has_cards`: there are
    pictures for sharing, `outside` is what has a page without a case. Raises `CaseError` for an id that can't name a
    folder, `UsageError` for two cases of one id.
    """

    def __init__(
        self,
        views: Sequence[CaseView],
        *,
        dossiers: Mapping[str, Dossier] | None = None,
        stories: Mapping[str, Telling] | None = None,
        address: str = "",
        attached: Attached | None = None,
        languages: Sequence[Language] | None = None,
        fonts: FontMaker | None = None,
        has_cards: bool = False,
        outside: Outside | None = None,
    ) -> None:
        ids = [folder_name(view.case.id) for view in views]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise UsageError(f"{twice[0]}: two cases have this id; ids of one site must differ")
        self.cases = {view.case.id: view for view in sorted(views, key=lambda view: view.case.id)}
        self.dossiers, self.stories, self.address = dict(dossiers or {}), dict(stories or {}), address
        self.languages = tuple(languages or map(language, language_codes()))
        self.outside = outside or Outside()
        self.attached = attached or Attached()
        #: What `inventory.listing` found, once it was asked.
        self.inventory: tuple[Listed, ...] | None = None
        self._fonts, self.has_cards = fonts, has_cards
        self._pages: dict[tuple[str, str], CasePage] = {}
        self._translated: dict[str, frozenset[str]] = {}

    @property
    def views(self) -> list[CaseView]:
        """Every case, real ones before invented ones."""
        return sorted(self.cases.values(), key=lambda view: (view.simulated, view.case.id))

    def dossiers_of(self, case_id: str) -> list[Dossier]:
        """The dossiers of a case: the one that stands, and then those that it replaced."""
        standing = [self.dossiers[case_id]] if case_id in self.dossiers else []
        return [*standing, *self.attached.earlier.get(case_id, ())]

    def case(self, case_id: str, spoken: Language) -> CasePage:
        """A case as rows for a page, made once for each language."""
        key = (case_id, spoken.code)
        if key not in self._pages:
            self._pages[key] = case_page(self.cases[case_id], spoken)
        return self._pages[key]

    def translated(self, spoken: Language) -> frozenset[str]:
        """Every text that the cases have in a language, found once for each."""
        if spoken.code not in self._translated:
            self._translated[spoken.code] = translated(self.cases.values(), spoken)
        return self._translated[spoken.code]

    @cached_property
    def as_of(self) -> datetime:
        """The moment up to which everything was counted (UTC): the latest of the cases'."""
        return max((view.as_of for view in self.cases.values()), default=self.outside.as_of)

    @cached_property
    def font(self) -> Font | None:
        """The font for Urdu with the letters of the catalogues and of the record; None: the site has none."""
        if self._fonts is None:
            return None
        codes = [one.code for one in self.languages if one.direction == "rtl"]
        letters = set().union(*(catalogue.PAGES.path(code).read_text(encoding="utf-8") for code in codes))
        for view in self.views:
            letters.update(msgspec.json.encode(view.case).decode(), *view.network_names.values())
        return self._fonts(letters)

    @cached_property
    def incidents(self) -> dict[str, tuple[str, Incident]]:
        """Every incident of a case's own service and place, by id, with the first case that holds it."""
        found: dict[str, tuple[str, Incident]] = {}
        for name, view in self.cases.items():
            for row in case_incidents(view):
                found.setdefault(row.incident_id, (name, row))
        return found

    @cached_property
    def measurements(self) -> dict[str, tuple[str, str, Verdict]]:
        """Every measurement shown as proof, by uid, with the case and the incident that it proves."""
        found: dict[str, tuple[str, str, Verdict]] = {}
        for name, view in self.cases.items():
            for incident, verdicts in sorted(view.proofs.items()):
                for row in verdicts:
                    found.setdefault(row.measurement_uid, (name, incident, row))
        return found

    @cached_property
    def services(self) -> dict[str, str]:
        """Services by id, with what people call them."""
        return dict(sorted((view.case.service, view.service) for view in self.cases.values()))

    @cached_property
    def countries(self) -> list[str]:
        """Countries (ISO 3166 alpha-2) of the cases."""
        return sorted({view.case.place for view in self.cases.values()})

    @cached_property
    def networks(self) -> dict[str, tuple[str, ...]]:
        """Networks that were measured or that a block was seen on, by number, with the cases that they are in."""
        found: dict[str, set[str]] = {}
        for name, view in self.cases.items():
            seen = {row.network for row in view.days} | {one for row in view.incidents for one in row.networks}
            for network in seen:
                found.setdefault(network, set()).add(name)
        return {network: tuple(sorted(found[network])) for network in sorted(found, key=network_key)}

    def network_name(self, network: str) -> str:
        """What a network is called, or "" where no case knows it."""
        names = (self.cases[name].network_names.get(network, "") for name in self.networks.get(network, ()))
        return next(filter(None, names), "")


def order_clocks(view: CaseView, entry_id: str) -> list[Clock]:
    """The compliance clocks of an order over the whole place, by start; where there are none, those by network."""
    mine = [row for row in view.clocks if row.clock is ClockKind.COMPLIANCE and row.entry_id == entry_id]
    whole = [row for row in mine if row.network is None]
    return sorted(whole or mine, key=lambda row: (row.started, row.network or ""))
