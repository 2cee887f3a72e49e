"""What reachable lines look like: the share of failures there, learned from all of them (empirical Bayes)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from .segments import BASELINE, HIGH, LOW, RATES, Array, emissions, weights
from .settings import DEFAULT, Settings

#: How many months of one line the prior of a level counts for.
_STRENGTH = 10.0
#: The share of months that a block touches: half a block a year, of ten days.
_TOUCHED = 0.05
_ROUNDS = 60
#: Weights are kept to so many decimals: a little more data then changes nothing.
_DECIMALS = 3

_Row = tuple[str, str, str, str, float, float]


class Month(msgspec.Struct, frozen=True):
    """Reports of one line (service, place, network) in one month, and how many of them failed.

    `half` names the half-year, in which a line is held to be the same but for blocks.
    """

    simulated: bool
    service: str
    place: str
    network: str
    half: str
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

    Each line draws its rate from the weights sought, for half a year; of its months some were touched by a block, which
    tells nothing of the rate. The weights are found by expectation-maximization (Laird, "Nonparametric maximum
    likelihood estimation of a mixing distribution", JASA 73, 1978), with those of the level above as `_STRENGTH`
    further months.
    """
    ordered = sorted(msgspec.structs.astuple(one) for one in months)
    known: dict[tuple[bool, str, str], Array] = {}
    for simulated in (False, True):
        mine = [row[1:] for row in ordered if row[0] is simulated]
        if mine:
            known.update({(simulated, *key): found for key, found in _levels(mine, settings).items()})
    return Baselines(known)


def _levels(months: list[_Row], settings: Settings) -> dict[tuple[str, str], Array]:
    """The weights for all, for each service, and for each service and place."""
    begins = [index for index, month in enumerate(months) if not index or month[:4] != months[index - 1][:4]]
    lines = _lines(months, begins, settings)
    services, places = (np.array([months[index][column] for index in begins]) for column in (0, 1))
    known = {("", ""): _weights(lines, BASELINE)}
    for service in sorted(set(services.tolist())):
        known[service, ""] = _weights(lines.only(services == service), known["", ""])
        for place in sorted(set(places[services == service].tolist())):
            known[service, place] = _weights(lines.only((services == service) & (places == place)), known[service, ""])
    return known


class _Lines(NamedTuple):
    """Half-years of lines: ln of how likely each is under each rate, and how many of its months were then not touched
    by a block. Both (12, lines)."""

    logs: Array
    months: Array

    def only(self, chosen: NDArray[np.bool_]) -> _Lines:
        return _Lines(self.logs[:, chosen], self.months[:, chosen])


def _lines(months: list[_Row], begins: list[int], settings: Settings) -> _Lines:
    n = np.array([reports for *_, reports, _ in months])
    # Over a month the reports of many hours hang together far less than those of one.
    looser = msgspec.structs.replace(settings, correlation=settings.correlation / 10)
    logs = emissions(n, np.array([failed for *_, failed in months]), looser)
    likelihoods = np.exp(logs - logs.max(axis=0))
    reachable = (1 - _TOUCHED) * likelihoods[: len(LOW)]
    either = reachable + _TOUCHED * (_in_part() @ likelihoods)
    sums = [np.add.reduceat(one, begins, axis=1) for one in (np.log(either), reachable / either)]
    return _Lines(sums[0] - sums[0].max(axis=0), sums[1])


def _in_part() -> Array:
    """The shares of failures of a month of which a block fills a part, any part being as likely. Shape (24,)."""
    parts = (np.arange(20) + 0.5) / 20
    whole = parts[:, None] * HIGH + (1 - parts[:, None]) * (BASELINE @ LOW)
    nearest = np.abs(np.log(whole[..., None] / RATES)).argmin(axis=-1)
    chances = np.broadcast_to(weights(HIGH, 2.0, 0.8) / len(parts), whole.shape)
    return np.asarray(np.bincount(nearest.ravel(), chances.ravel(), minlength=len(RATES)), dtype=np.float64)


def _weights(lines: _Lines, parent: Array) -> Array:
    """The weights that explain these lines best, drawn towards those of the level above. Shape (12,)."""
    likelihoods = np.exp(lines.logs)
    current = parent
    for _ in range(_ROUNDS):
        joint = current[:, None] * likelihoods
        counts = (joint / joint.sum(axis=0) * lines.months).sum(axis=1)
        current = (counts + _STRENGTH * parent) / (counts.sum() + _STRENGTH)
    # Nothing is ever held to be impossible: each rate keeps a part of what all lines together give it.
    kept = np.maximum(np.round(current, _DECIMALS), BASELINE / 10)
    return np.asarray(kept / kept.sum())
