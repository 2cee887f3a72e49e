"""A second, independent way to date a change: conjugate optimal partition of a series of reports.

Every partition of the reports into segments is weighed: the failures of a segment are Bernoulli with a rate of its own,
drawn evenly between 0 and 1 and integrated out (so the segment weighs B(k + 1, n - k + 1)), and each gap between two
reports is a change with a fixed chance. The posterior of every gap follows from a forward and a backward sum over all
partitions, quadratic in the number of reports. Sources: Barry and Hartigan, "A Bayesian analysis for change point
problems" (JASA 88, 1993); Fearnhead, "Exact and efficient Bayesian inference for multiple changepoint problems"
(Statistics and Computing 16, 2006); Jackson and others, "An algorithm for optimal partitioning of data on an interval"
(IEEE Signal Processing Letters 12, 2005). Shares nothing with the detector: no labels, no hazards, no grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

#: The chance of a change in each gap between two reports.
CHANGE = 0.01


def change_chances(failed: Sequence[int]) -> list[float]:
    """The posterior chance of a change in each gap; item i is for the gap between reports i and i + 1."""
    n, sums = len(failed), [0]
    for one in failed:
        sums.append(sums[-1] + one)

    def weight(first: int, until: int) -> float:
        k, size = sums[until] - sums[first], until - first
        inside = (size - 1) * math.log1p(-CHANGE)
        return math.lgamma(k + 1) + math.lgamma(size - k + 1) - math.lgamma(size + 2) + inside

    cost = math.log(CHANGE)
    forward, backward = [0.0] * (n + 1), [0.0] * (n + 1)
    for until in range(1, n + 1):
        forward[until] = _log_sum(
            [(forward[first] + cost if first else 0.0) + weight(first, until) for first in range(until)]
        )
    for first in range(n - 1, -1, -1):
        backward[first] = _log_sum(
            [weight(first, until) + (backward[until] + cost if until < n else 0.0) for until in range(first + 1, n + 1)]
        )
    return [math.exp(forward[gap] + cost + backward[gap] - forward[n]) for gap in range(1, n)]


def _log_sum(terms: Sequence[float]) -> float:
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))
