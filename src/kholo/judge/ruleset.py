"""Rules as data: read, checked, and named by a digest."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from kholo.model import IMPAIRED, Evidence, Layer, Locus, ReferenceDataError, State
from kholo.reference.files import read

from . import facts

SHIPPED = Path(__file__).with_name("rules.toml")
_REACHABLE: dict[str, bool | None] = {"yes": True, "no": False, "unknown": None, "": None}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. It holds when all of `when`, one of `any` (if any is named) and none of `unless` are facts."""

    id: str
    state: State
    evidence: Evidence
    why: str
    when: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    layer: Layer | None = None
    mechanism: str | None = None
    locus: Locus = Locus.UNKNOWN
    reachable: Literal["", "yes", "no", "unknown"] = ""
    source: str = ""
    example: str = ""

    @property
    def is_impaired(self) -> bool:
        """Whether the rule says that somebody came between."""
        return self.state in IMPAIRED

    @property
    def usable(self) -> bool | None:
        """Whether the person could use the service; a block with nothing else said means no."""
        if not self.reachable and self.state is State.BLOCKED:
            return False
        return _REACHABLE[self.reachable]


class Decision(msgspec.Struct, frozen=True):
    """What the rules say of a set of facts: the first rule that holds, all that hold, and the mechanisms they name."""

    rule: Rule
    holding: tuple[Rule, ...]
    is_impaired: bool
    mechanisms: frozenset[str]


class _Compiled(msgspec.Struct, frozen=True):
    rule: Rule
    when: int
    any: int
    unless: int


class Ruleset:
    """The rules in order. `digest` is 12 hex digits of the SHA-256 of the file."""

    def __init__(self, rules: tuple[Rule, ...], source: bytes) -> None:
        """`source` is the file that the rules were read from."""
        self.rules = rules
        self.source = source
        self.digest = hashlib.sha256(source).hexdigest()[:12]
        self._compiled = tuple(
            _Compiled(rule, *(facts.mask(part, rule.id) for part in (rule.when, rule.any, rule.unless)))
            for rule in rules
        )
        self.decide = lru_cache(maxsize=16_384)(self._decide)

    def _decide(self, seen: int) -> Decision:
        """What follows from these facts. The last rule always holds."""
        holding = tuple(
            item.rule
            for item in self._compiled
            if item.when & seen == item.when and not item.unless & seen and (not item.any or item.any & seen)
        )
        mechanisms = frozenset(rule.mechanism for rule in holding if rule.is_impaired and rule.mechanism)
        return Decision(holding[0], holding, holding[0].is_impaired, mechanisms)


def load_ruleset(path: Path = SHIPPED) -> Ruleset:
    """Read the rules. Raises `ReferenceDataError` naming the file, the rule and what is wrong with it."""
    return _parsed(path, read(path))


@lru_cache(maxsize=8)
def _parsed(path: Path, data: bytes) -> Ruleset:
    try:
        tables: list[dict[str, Any]] = tomllib.loads(data.decode())["rule"]
        rules = tuple(msgspec.convert(table, Rule) for table in tables)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReferenceDataError(f"{path}: not a usable set of rules: {error}") from error
    _check(path, rules)
    return Ruleset(rules, data)


def _check(path: Path, rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise ReferenceDataError(f"{path}: the id {rule.id!r} stands twice; each rule has its own")
        if rule.is_impaired and not rule.mechanism:
            raise ReferenceDataError(f"{path}: {rule.id}: a rule that says {rule.state} names its mechanism")
        seen.add(rule.id)
    if not rules or rules[-1].when or rules[-1].any or rules[-1].unless:
        raise ReferenceDataError(f"{path}: the last rule must hold always, so that every measurement gets a verdict")
