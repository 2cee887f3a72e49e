"""Two states in continuous time: reachable, impaired. The posterior of each vote, and of a change in each gap.

A hidden Markov model (Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77, 1989) whose transitions over a gap
of t days are those of a two-state Markov chain in continuous time: an empty stretch costs nothing, it only lets the
state drift towards the prior. Time and memory are linear in the number of votes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from kholo.model import Cell

from .settings import Settings

_DAY = 86_400.0


class Vote(msgspec.Struct, frozen=True, order=True):
    """What one report says in one cell: the share of impaired results among its decisive ones.

    `weight` is one over the number of cells that the report speaks in: however long it runs, it has one vote.
    """

    first: datetime
    last: datetime
    report: str
    impaired: float
    weight: float
    cell: int
    blocked: int
    throttled: int


class Posterior(msgspec.Struct, frozen=True):
    """`impaired[i]`: probability that access was impaired at vote i. `stayed[i]`: that it was so at vote i and at vote
    i + 1 (one item fewer). `log_ratio[i]`: ln of how much better impaired explains vote i than reachable does."""

    impaired: list[float]
    stayed: list[float]
    log_ratio: list[float]

    def onset(self, anchor: int) -> list[float]:
        """Given that access was impaired at vote `anchor`: the probability that this spell of it began in gap i.

        Gap i lies between vote i and vote i + 1; gaps from the anchor on are left out. What is missing to 1 is the
        probability that it was impaired from the first vote on.
        """
        chances = [0.0] * anchor
        held = 1.0
        for gap in range(anchor - 1, -1, -1):
            still = min(1.0, self.stayed[gap] / self.impaired[gap + 1])
            chances[gap] = held * (1 - still)
            held *= still
        return chances

    def end(self, anchor: int) -> list[float]:
        """The same for its end: item i is the probability that it ended in gap `anchor + i`."""
        chances = []
        held = 1.0
        for gap in range(anchor, len(self.stayed)):
            still = min(1.0, self.stayed[gap] / self.impaired[gap])
            chances.append(held * (1 - still))
            held *= still
        return chances


def votes(cells: Sequence[Cell]) -> list[Vote]:
    """The votes in the cells of one series, in time."""
    spans = Counter(vote.report for cell in cells for vote in cell.votes if vote.report)
    made = []
    for place, cell in enumerate(cells):
        for vote in cell.votes:
            failed = vote.blocked + vote.throttled
            share = failed / (failed + vote.ok)
            weight = 1 / spans[vote.report] if vote.report else 1.0
            made.append(Vote(vote.first, vote.last, vote.report, share, weight, place, vote.blocked, vote.throttled))
    return sorted(made)


def posterior(series: Sequence[Vote], settings: Settings) -> Posterior:
    """Forward and backward over the votes of one series, scaled at each step so that nothing underflows."""
    likelihoods = [_likelihood(vote, settings) for vote in series]
    steps = [_transition(before, after, settings) for before, after in pairwise(series)]
    prior = settings.onsets_per_day / (settings.onsets_per_day + settings.ends_per_day)
    forward = [_scaled((1 - prior) * likelihoods[0][0], prior * likelihoods[0][1])]
    for (calm, hit), (onset, end) in zip(likelihoods[1:], steps, strict=True):
        was = forward[-1]
        forward.append(
            _scaled((was[0] * (1 - onset) + was[1] * end) * calm, (was[0] * onset + was[1] * (1 - end)) * hit)
        )
    backward = [(0.5, 0.5)]
    for (calm, hit), (onset, end) in zip(reversed(likelihoods[1:]), reversed(steps), strict=True):
        then = (backward[-1][0] * calm, backward[-1][1] * hit)
        backward.append(_scaled((1 - onset) * then[0] + onset * then[1], end * then[0] + (1 - end) * then[1]))
    backward.reverse()
    return Posterior(
        impaired=[_scaled(f[0] * b[0], f[1] * b[1])[1] for f, b in zip(forward, backward, strict=True)],
        stayed=[_stayed(place, forward, backward, likelihoods, steps) for place in range(len(steps))],
        log_ratio=[math.log(hit / calm) for calm, hit in likelihoods],
    )


def _likelihood(vote: Vote, settings: Settings) -> tuple[float, float]:
    """Of one vote under reachable and impaired; a share between 0 and 1 counts as that much of each result."""
    return (
        math.exp(vote.weight * _log_share(vote.impaired, settings.fail_reachable)),
        math.exp(vote.weight * _log_share(vote.impaired, settings.fail_impaired)),
    )


def _log_share(share: float, rate: float) -> float:
    return share * math.log(rate) + (1 - share) * math.log(1 - rate)


def _transition(before: Vote, after: Vote, settings: Settings) -> tuple[float, float]:
    """Probabilities of onset and of end over the gap: the matrix exponential of the two-state rate matrix."""
    days = max((after.first - before.first).total_seconds() / _DAY, settings.least_dt_days)
    rate = settings.onsets_per_day + settings.ends_per_day
    moved = -math.expm1(-rate * days)
    return settings.onsets_per_day / rate * moved, settings.ends_per_day / rate * moved


def _scaled(calm: float, hit: float) -> tuple[float, float]:
    total = calm + hit
    return calm / total, hit / total


def _stayed(
    place: int,
    forward: list[tuple[float, float]],
    backward: list[tuple[float, float]],
    likelihoods: list[tuple[float, float]],
    steps: list[tuple[float, float]],
) -> float:
    """Probability of being impaired both at vote `place` and at the next."""
    onset, end = steps[place]
    then = (likelihoods[place + 1][0] * backward[place + 1][0], likelihoods[place + 1][1] * backward[place + 1][1])
    calm, hit = forward[place]
    paths = (calm * (1 - onset) * then[0], calm * onset * then[1], hit * end * then[0], hit * (1 - end) * then[1])
    return paths[3] / sum(paths)
