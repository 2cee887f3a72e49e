"""The segmental hidden Markov model: labels in continuous time, inside each segment one constant rate of failure.

A line is *reachable*, *faulty* (hours in which the probe or its own line is broken, in three steps, so that few last a
day) or *blocked*. A state is a label and a rate of failure. It is left at the hazard of its label, and each jump draws
the rate anew from the prior of the label it leads to. Between two cells `t` days apart

    P((l, r) -> (l', r')) = [l = l', r = r'] exp(-h_l t)  +  (P_ll'(t) - [l = l'] exp(-h_l t)) * prior_l'(r')

where `P(t)` is the matrix exponential of the labels' own rates: either nothing happened, or the last jump drew r'.
So forward and backward need sums over labels only: exact on the grid, and linear in the number of cells.

Sources: Rabiner, "A tutorial on hidden Markov models" (Proc. IEEE 77, 1989) for the recursions; Fearnhead, "Exact and
efficient Bayesian inference for multiple changepoint problems" (Statistics and Computing 16, 2006) for rates drawn anew
at each change. `docs/detector.md` has the mathematics with an example.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .settings import YEAR, Settings

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: The labels. The first four are free of blocking (two are further steps of a fault); the last two are a block that
#: comes and goes within the day.
REACHABLE, FAULTY, LASTING, ENDING, BLOCKED, ON, OFF = range(7)
LABELS, FREE = 7, 4
#: How a fault goes on and ends.
_STEPS = ((FAULTY, LASTING), (LASTING, ENDING), (ENDING, REACHABLE))
#: Rates of failure of a reachable line, and of a faulty or blocked one.
LOW = np.array([0.002, 0.005, 0.01, 0.02, 0.035, 0.055, 0.08, 0.115, 0.16, 0.22, 0.3, 0.4])
HIGH = np.array([0.15, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99])
RATES = np.concatenate([LOW, HIGH])
#: The places in `RATES` of the rates that each label may have.
_GRIDS = (range(12), range(12, 24), range(18, 24), range(18, 24), range(12, 24), range(18, 24), range(8))
_EMITS = np.concatenate([np.array(grid) for grid in _GRIDS])
_SIZES = [len(grid) for grid in _GRIDS]
STATES = sum(_SIZES)
_FREE = sum(_SIZES[:FREE])
#: The first state of each label, and the label of each state.
_STARTS = np.cumsum([0, *_SIZES[:-1]])
_LABEL = np.repeat(np.arange(LABELS), _SIZES)
#: Probability that is not worth following further.
_REST = 1e-6


def weights(rates: Array, a: float, b: float) -> Array:
    """Weights on a grid of rates, proportional to Beta(a, b) over the cell of the grid around each rate. Sum: 1."""
    middle = (rates[1:] + rates[:-1]) / 2
    edges = np.concatenate([2 * rates[:1] - middle[:1], middle, np.minimum(2 * rates[-1:] - middle[-1:], 1.0)])
    mass = rates ** (a - 1) * (1 - rates) ** (b - 1) * np.diff(edges)
    return np.asarray(mass / mass.sum())


#: What is known of a reachable line before any is looked at: a few percent of failures.
BASELINE = weights(LOW, 0.7, 22.0)
#: Partial blocks are common, complete ones more so; a broken probe fails nearly always.
_BLOCK = weights(HIGH, 2.0, 0.8)
_FAULT = weights(HIGH, 2.0, 0.6)
_SURE = weights(RATES[18:24], 2.0, 0.6)


@lru_cache(maxsize=4_096)
def _log_emission(n: float, k: float, correlation: float) -> tuple[float, ...]:
    """ln of the beta-binomial of `k` failures among `n` for each rate, without its binomial coefficient.

    `n` and `k` need not be whole: a report that runs over several cells is spread over them.
    """
    made = []
    for rate in RATES:
        a, b = rate * (1 - correlation) / correlation, (1 - rate) * (1 - correlation) / correlation
        made.append(
            math.lgamma(k + a) - math.lgamma(a) + math.lgamma(n - k + b) - math.lgamma(b)
            + math.lgamma(a + b) - math.lgamma(n + a + b)
        )  # fmt: skip
    return tuple(made)


def emissions(n: Array, k: Array, settings: Settings) -> Array:
    """ln of the likelihood of each cell's counts under each rate, (24, cells)."""
    # One complex number a pair: sorting pairs as rows takes twenty times as long.
    pairs, index = np.unique(np.round(n, 6) + 1j * np.round(k, 6), return_inverse=True)
    logs = np.array([_log_emission(pair.real, pair.imag, settings.correlation) for pair in pairs.tolist()]).T
    return np.asarray(logs[:, index.reshape(-1)])


def run_emissions(well: Array, run: Indices, n: Array, k: Array, settings: Settings) -> Array:
    """ln of the likelihood of each run of cells under each rate, (runs, 24).

    `well`: how many cells of a run are of one report that went well, which is nearly all; `run`, `n`, `k`: of the other
    cells the run (in order) and the counts.
    """
    made = well[:, None] * np.array(_log_emission(1.0, 0.0, settings.correlation))
    if len(run):
        begins = np.flatnonzero(np.diff(run, prepend=-1))
        logs = np.ascontiguousarray(emissions(n, k, settings).T)
        made[run[begins]] += np.add.reduceat(logs, begins, axis=0)
    return np.asarray(made)


class Chain:
    """The labels in continuous time: `exp(chain * t)` by eigenvectors, and the hazard of any jump out of each label.

    `balance` is how often each label holds in the long run.
    """

    def __init__(self, settings: Settings, labels: int = LABELS) -> None:
        chain, self.hazards = _generator(settings)
        chain, self.hazards = chain[:labels, :labels], self.hazards[:labels]
        # The steps of a fault must end at different hazards. High hazards may make pairs of complex numbers.
        self.values, self.left = np.linalg.eig(chain)
        self.right = np.linalg.inv(self.left).T
        lasting = self.right[:, int(self.values.real.argmax())].real
        self.balance = lasting / lasting.sum()

    def stay(self, days: Array) -> Array:
        """The probability that nothing happens within each time, (labels, ...)."""
        return np.exp(-self.hazards.reshape(-1, *([1] * days.ndim)) * days)

    def decay(self, days: Array) -> NDArray[Any]:
        """exp(eigenvalue * t), (labels, ...)."""
        return np.exp(self.values.reshape(-1, *([1] * days.ndim)) * days)

    def jump(self, days: Array) -> Array:
        """The probability of going from one label to another by at least one jump, (from, to, ...) for times (...)."""
        decay = self.decay(days)
        made = np.einsum("am,bm,m...->ab...", self.left, self.right, decay).real
        diagonal = np.arange(len(made))
        made[diagonal, diagonal] -= self.stay(days)
        return np.asarray(np.maximum(made, 0.0))


@lru_cache(maxsize=64)
def _chain(settings: Settings, labels: int = LABELS) -> Chain:
    return Chain(settings, labels)


def _generator(settings: Settings) -> tuple[Array, Array]:
    """The rates between labels (7, 7), and the hazard of any jump out of each (7,), jumps to its own label included."""
    chain = np.zeros((LABELS, LABELS))
    chain[REACHABLE, FAULTY] = settings.faults_per_day
    for step, hazard in zip(_STEPS, settings.fault_steps_per_day, strict=True):
        chain[step] = hazard
    chain[REACHABLE, BLOCKED], chain[BLOCKED, REACHABLE] = settings.blocks_per_day, settings.block_ends_per_day
    chain[REACHABLE, ON], chain[ON, REACHABLE] = settings.hourly_per_day, settings.hourly_ends_per_day
    chain[ON, OFF], chain[OFF, ON] = settings.off_per_day, settings.on_per_day
    chain -= np.diag(chain.sum(axis=1))
    redraws = np.array([settings.shifts_per_day, 0.0, 0.0, 0.0, settings.turns_per_day, 0.0, 0.0])
    return chain, redraws - np.diag(chain)


def start(settings: Settings) -> Array:
    """The chances of the labels before the first cell: those of the chain in balance."""
    return np.asarray(_chain(settings).balance)


def prior_odds(settings: Settings) -> float:
    """Prior odds of "blocked at any time" in one year of one series."""
    begins = (settings.blocks_per_day + settings.hourly_per_day) * YEAR
    return begins + float(start(settings)[FREE:].sum())


def priors(baseline: Array) -> Array:
    """The prior of the rates under each label, as one column of states, shape (states,) or (states, series)."""
    off = baseline[: _SIZES[OFF]] / baseline[: _SIZES[OFF]].sum(axis=0)
    fixed = [np.broadcast_to(one.reshape(-1, *([1] * (baseline.ndim - 1))), (len(one), *baseline.shape[1:]))
             for one in (_FAULT, _SURE, _SURE, _BLOCK, _SURE)]  # fmt: skip
    return np.concatenate([baseline, *fixed, off])


class Lines:
    """Many series side by side, padded at their end with cells that say nothing.

    days: (cells, series), the time since the cell before (the first row is not used); seen: (cells, 24, series), the
    likelihood of each cell under each rate, up to a factor; baselines: (12, series). inside: (cells, series), the time
    within a cell that stands for several, in which nothing is held to have happened.
    """

    def __init__(
        self, days: Array, seen: Array, baselines: Array, settings: Settings, inside: Array | None = None
    ) -> None:
        self.days, self.seen, self.settings, self.inside = days, seen, settings, inside
        self.prior = priors(baselines)
        self.first = start(settings)

    def screen(self) -> Array:
        """ln of 1 + posterior odds of "blocked at any time", for each series."""
        # Half the digits, twice the speed: this is a first look, and has a margin.
        full: Any = (self.prior * self.first[_LABEL][:, None]).astype(np.float32)
        free = full[:_FREE].copy()
        move = _Move(self.days, self.prior, self.settings, dtype=np.float32)
        move_free = _Move(self.days, self.prior, self.settings, FREE, dtype=np.float32)
        gained: Array = np.zeros(self.days.shape[1])
        still = _chain(self.settings).stay(np.zeros(self.days.shape) if self.inside is None else self.inside)
        still = still.astype(np.float32)
        for cell, rates in enumerate(self.seen.astype(np.float32)):
            seen = rates[_EMITS] * still[:, cell][_LABEL]
            if cell:
                full = move(full, cell)
                free = move_free(free, cell)
            full *= seen
            free *= seen[:_FREE]
            # What can't be without a block vanishes in half the digits; its odds are then high enough.
            all_, none = full.sum(axis=0), np.maximum(free.sum(axis=0), 1e-30)
            full /= all_
            free /= none
            gained += np.log(all_ / none)
        return gained

    def posteriors(self) -> list[Posterior]:
        """What each series says, cell by cell."""
        forward, scales = self._forward()
        backward = self._backward(scales)
        blocked = np.einsum("csm,csm->cm", forward[:, _FREE:], backward[:, _FREE:])
        return [Posterior(self, number, forward, backward, scales[:, number], blocked[:, number].copy())
                for number in range(self.days.shape[1])]  # fmt: skip

    def _forward(self) -> tuple[Array, Array]:
        cells, many = self.days.shape
        made, scales = np.empty((cells, STATES, many)), np.empty((cells, many))
        move = _Move(self.days, self.prior, self.settings)
        state = self.prior * self.first[_LABEL][:, None]
        for cell, rates in enumerate(self.seen):
            if cell:
                state = move(state, cell)
            state *= rates[_EMITS]
            scales[cell] = state.sum(axis=0)
            state /= scales[cell]
            made[cell] = state
        return made, scales

    def _backward(self, scales: Array) -> Array:
        cells, many = self.days.shape
        made = np.empty((cells, STATES, many))
        move = _Move(self.days, self.prior, self.settings)
        made[-1] = later = np.ones((STATES, many))
        for cell in range(cells - 1, 0, -1):
            later = move.back(later * self.seen[cell][_EMITS] / scales[cell], cell)
            made[cell - 1] = later
        return made


class _Move:
    """Moves states over gaps, among the first `labels` labels only. `days` is (cells,) or (cells, series)."""

    def __init__(
        self, days: Array, prior: Array, settings: Settings, labels: int = LABELS, dtype: DTypeLike = np.float64
    ) -> None:
        chain = _chain(settings, labels)
        kind = np.result_type(dtype, np.complex64) if np.iscomplexobj(chain.left) else dtype
        self._left, self._right = chain.left.astype(kind), chain.right.astype(kind)
        self._stay, self._decay = chain.stay(days).astype(dtype), chain.decay(days).astype(kind)
        self._starts = _STARTS[:labels]
        self._label = _LABEL if labels == LABELS else _LABEL[: _STARTS[labels]]
        self._prior: Array = prior[: len(self._label)].astype(dtype)

    def __call__(self, state: Array, cell: int) -> Array:
        """States after the gap that ends at `cell`, before that cell is seen."""
        stay = self._stay[:, cell]
        sums = np.add.reduceat(state, self._starts, axis=0)
        arrived = (self._right @ (self._decay[:, cell] * (self._left.T @ sums))).real - stay * sums
        made: Array = state * stay[self._label]
        made += self._prior * np.maximum(arrived, 0.0)[self._label]
        return made

    def back(self, after: Array, cell: int) -> Array:
        """How likely `after` (from `cell` on, that cell seen) is from each state before the gap."""
        stay = self._stay[:, cell]
        drawn = np.add.reduceat(self._prior * after, self._starts, axis=0)
        moved = (self._left @ (self._decay[:, cell] * (self._right.T @ drawn))).real - stay * drawn
        made: Array = after * stay[self._label]
        made += np.maximum(moved, 0.0)[self._label]
        return made


class Posterior:
    """One series: what each cell's label was, and when a spell around a cell began and ended.

    `blocked[i]` is the probability that cell i lies in a block (its hours off included). Inside, arrays are
    (cells, states).
    """

    def __init__(
        self, lines: Lines, number: int, forward: Array, backward: Array, scales: Array, blocked: Array
    ) -> None:
        self._prior, self._first = lines.prior[:, number], lines.first
        self._days, self._settings = lines.days[:, number], lines.settings
        self._all, self._number = (forward, backward, lines.seen), number
        self._scales, self.blocked = scales, blocked

    # Side by side the values of one series lie far apart in memory: only those of the cells looked at are fetched.
    def _forward(self, cell: int) -> Array:
        return self._all[0][cell, :, self._number].copy()

    def _backward(self, cell: int) -> Array:
        return self._all[1][cell, :, self._number].copy()

    def _seen(self, cell: int) -> Array:
        return np.asarray((self._all[2][cell, :, self._number] / self._scales[cell])[_EMITS])

    @cached_property
    def _stay(self) -> Array:
        return _chain(self._settings).stay(self._days)

    @cached_property
    def _jump(self) -> Array:
        return _chain(self._settings).jump(self._days)

    @cached_property
    def _move_free(self) -> _Move:
        return _Move(self._days, self._prior, self._settings, FREE)

    def free(self, first: int, last: int) -> float:
        """Probability that the line was not blocked at any time from cell `first` to cell `last`."""
        state = self._forward(first)[:_FREE]
        for cell in range(first + 1, last + 1):
            state = self._move_free(state, cell) * self._seen(cell)[:_FREE]
        return float((state * self._backward(last)[:_FREE]).sum())

    def onset(self, anchor: int) -> tuple[float, Array]:
        """When the spell that holds at cell `anchor` began: the chance of "before the first cell", and of each gap.

        Item i of the array is for the gap between cells i and i + 1; all sum to `blocked[anchor]`, up to a rest of
        1e-6 that is not followed further back.
        """
        chances, rest = np.zeros(anchor), float(self.blocked[anchor])
        held = self._seen(anchor) * self._backward(anchor)
        for cell in range(anchor, 0, -1):
            drawn = np.add.reduceat(self._prior * held, _STARTS)
            before = np.add.reduceat(self._forward(cell - 1)[:_FREE], _STARTS[:FREE])
            chances[cell - 1] = (before[:, None] * self._jump[:FREE, FREE:, cell] * drawn[None, FREE:]).sum()
            rest -= chances[cell - 1]
            if rest < _REST:
                return 0.0, chances
            moved = (self._jump[:, FREE:, cell] * drawn[None, FREE:]).sum(axis=1)
            held = (held * self._stay[_LABEL, cell] + moved[_LABEL]) * self._seen(cell - 1)
            held[:_FREE] = 0.0
        drawn = np.add.reduceat(self._prior * held, _STARTS)
        return float((self._first * drawn)[FREE:].sum()), chances

    def end(self, anchor: int) -> tuple[float, Array]:
        """When it ended: the chance of "not by the last cell", and of each gap from the anchor on.

        Item i is for the gap between cells `anchor + i` and `anchor + i + 1`.
        """
        chances, rest = np.zeros(len(self.blocked) - 1 - anchor), float(self.blocked[anchor])
        held = self._forward(anchor)
        held[:_FREE] = 0.0
        for cell in range(anchor + 1, len(self.blocked)):
            seen = self._seen(cell)
            drawn = np.add.reduceat((self._prior * seen * self._backward(cell))[:_FREE], _STARTS[:FREE])
            sums = np.add.reduceat(held, _STARTS)
            chance = (sums[FREE:, None] * self._jump[FREE:, :FREE, cell] * drawn[None, :]).sum()
            chances[cell - 1 - anchor] = chance
            rest -= chance
            if rest < _REST:
                return 0.0, chances
            moved = (sums[FREE:, None] * self._jump[FREE:, :, cell]).sum(axis=0)
            held = (held * self._stay[_LABEL, cell] + self._prior * moved[_LABEL]) * seen
            held[:_FREE] = 0.0
        return float(held.sum()), chances
