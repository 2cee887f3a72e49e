"""What reachable lines look like: the share of failures there, learned from all of them (empirical Bayes)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from .segments import BASELINE, HIGH, LOW, Array, emissions, weights
from .settings import DEFAULT, Settings

#: How many months of one line the prior of a level counts for.
_STRENGTH = 10.0
#: The share of months that a block may be in, before any is looked at.
_BLOCKED_SHARE = 0.03
_ROUNDS = 60
#: Weights are kept to so many decimals: a little more data then changes nothing.
_DECIMALS = 3


class Month(msgspec.Struct, frozen=True):
    """Reports of one line (service, place, network) in one month, and how many of them failed."""

    simulated: bool
    service: str
    place: str
    reports: float
    failed: float


class Baselines:
    """Weights on the rates of a reachable line: by service and place, else by service, else for all.

    Simulated lines teach nothing of real ones, nor the reverse.
    """

    def __init__(self, known: Mapping[tuple[bool, str, str], Array] | None = None) -> None:
        self._known = dict(known or {})

    def of(self, service: str, place: str, *, simulated: bool) -> Array:
        """Shape (12,), sum 1."""
        for key in ((simulated, service, place), (simulated, service, ""), (simulated, "", "")):
            if key in self._known:
                return self._known[key]
        return BASELINE


def baselines(months: Iterable[Month], settings: Settings = DEFAULT) -> Baselines:
    """Learn them. The order of `months` makes no difference.

    Each month of each line draws its rate from the weights sought, or from those of a block; the weights are found by
    expectation-maximization (Laird, "Nonparametric maximum likelihood estimation of a mixing distribution", JASA 73,
    1978), with those of the level above as `_STRENGTH` further months.
    """
    ordered = sorted(msgspec.structs.astuple(one) for one in months)
    known: dict[tuple[bool, str, str], Array] = {}
    for simulated in (False, True):
        mine = [row[1:] for row in ordered if row[0] is simulated]
        if mine:
            known.update({(simulated, *key): found for key, found in _levels(mine, settings).items()})
    return Baselines(known)


def _levels(months: list[tuple[str, str, float, float]], settings: Settings) -> dict[tuple[str, str], Array]:
    """The weights for all, for each service, and for each service and place."""
    likelihoods = _likelihoods(months, settings)
    services, places = (np.array([month[column] for month in months]) for column in (0, 1))
    known = {("", ""): _weights(likelihoods, BASELINE)}
    for service in sorted({month[0] for month in months}):
        known[service, ""] = _weights(likelihoods[:, services == service], known["", ""])
        for place in sorted(set(places[services == service].tolist())):
            mine = (services == service) & (places == place)
            known[service, place] = _weights(likelihoods[:, mine], known[service, ""])
    return known


def _likelihoods(months: list[tuple[str, str, float, float]], settings: Settings) -> Array:
    n = np.array([reports for *_, reports, _ in months])
    # Over a month the reports of many hours hang together far less than those of one.
    looser = msgspec.structs.replace(settings, correlation=settings.correlation / 10)
    logs = emissions(n, np.array([failed for *_, failed in months]), looser)
    return np.asarray(np.exp(logs - logs.max(axis=0)))


def _weights(likelihoods: Array, parent: Array) -> Array:
    """The weights that explain these months best, drawn towards those of the level above. Shape (12,)."""
    reachable = likelihoods[: len(LOW)]
    blocked = _BLOCKED_SHARE * (weights(HIGH, 2.0, 0.8) @ likelihoods[len(LOW) :])
    current = parent
    for _ in range(_ROUNDS):
        joint = (1 - _BLOCKED_SHARE) * current[:, None] * reachable
        share = (joint / (joint.sum(axis=0) + blocked)).sum(axis=1)
        current = (share + _STRENGTH * parent) / (share.sum() + _STRENGTH)
    # Nothing is ever held to be impossible: each rate keeps a part of what all lines together give it.
    kept = np.maximum(np.round(current, _DECIMALS), BASELINE / 10)
    return np.asarray(kept / kept.sum())
