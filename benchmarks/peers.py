"""Detectors to compare with, each behind the same call: `found(at, failed)` gives (onset, end or None) in days."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import ruptures
from numpy.typing import NDArray

Array = NDArray[np.float64]
Event = tuple[float, float | None]

#: Published parameters of the running CUSUM that OONI's pipeline runs over its measurements: what it expects of
#: reachable and of blocked lines, and the delay in results after which it should tell (ooni/data, `oonipipeline`).
_QUIET, _BLOCKED, _DELAY = 0.03, 0.85, 10


def cusum(at: Array, failed: Array) -> list[Event]:
    """Two one-sided cumulative sums, one for each direction (Page, "Continuous inspection schemes", Biometrika 1954).

    The threshold is what ten results of the new kind add up to on average: an expected delay of 10.
    """
    bad, good = math.log(_BLOCKED / _QUIET), math.log((1 - _BLOCKED) / (1 - _QUIET))
    ratio = np.where(failed > 0.5, bad, good)
    gain = {True: _BLOCKED * bad + (1 - _BLOCKED) * good, False: -(_QUIET * bad + (1 - _QUIET) * good)}
    found: list[Event] = []
    is_blocked, total, begin = False, 0.0, 0.0
    for day, step in zip(at.tolist(), ratio.tolist(), strict=True):
        if total <= 0:
            begin = day
        total = max(0.0, total + (-step if is_blocked else step))
        if total > _DELAY * gain[not is_blocked]:
            if is_blocked:
                found[-1] = (found[-1][0], begin)
            else:
                found.append((begin, None))
            is_blocked, total = not is_blocked, 0.0
    return found


def _daily(at: Array, failed: Array) -> tuple[Array, Array]:
    days, place, sizes = np.unique(np.floor(at), return_inverse=True, return_counts=True)
    return days, np.bincount(place, failed) / sizes


def _events(days: Array, share: Array, ends: list[int]) -> list[Event]:
    """Segments that fail three times as often as the median day, and at least a quarter of the time."""
    level = max(0.25, 3 * float(np.median(share)))
    found: list[Event] = []
    first = 0
    for last in ends:
        if share[first:last].mean() >= level:
            end = float(days[last]) if last < len(days) else None
            if found and found[-1][1] == float(days[first]):
                found[-1] = (found[-1][0], end)
            else:
                found.append((float(days[first]), end))
        first = last
    return found


def pelt(at: Array, failed: Array) -> list[Event]:
    """ruptures' PELT on daily shares, squared error, penalty 3 s^2 ln n (twice that of BIC, against false alarms)."""
    days, share = _daily(at, failed)
    if len(days) < 5:
        return []
    penalty = 3 * max(float(share.var()), 1e-4) * np.log(len(days))
    return _events(days, share, ruptures.Pelt(model="l2", min_size=2, jump=1).fit(share[:, None]).predict(pen=penalty))


def kernel(at: Array, failed: Array) -> list[Event]:
    """ruptures' KernelCPD on daily shares, Gaussian kernel, penalty ln n (its errors lie between 0 and 1)."""
    days, share = _daily(at, failed)
    if len(days) < 5:
        return []
    found = ruptures.KernelCPD(kernel="rbf", params={"gamma": 10.0}, min_size=2).fit(share[:, None])
    return _events(days, share, found.predict(pen=float(np.log(len(days)))))


PEERS: dict[str, Callable[[Array, Array], list[Event]]] = {"CUSUM": cusum, "PELT": pelt, "kernel": kernel}
