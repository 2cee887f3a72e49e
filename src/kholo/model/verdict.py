"""What was decided of one measurement, and by which rule."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .words import Evidence, Grade, Layer, Locus, State, Vantage


class Verdict(msgspec.Struct, frozen=True):
    """One decision on one measurement and service. The JSON names are a public contract.

    `also` lists further mechanisms seen: one cause never hides another. `reachable` says whether the person could
    use the service at all: True, False, or None when that is not known. `ruleset` and `reference` are the digests
    of what decided. `vantage`: who measured; what was measured from outside is no user's line.
    """

    measurement_uid: str
    input: str | None
    test_name: str
    measured_at: datetime
    service: str | None
    place: str
    network: str
    state: State
    layer: Layer | None
    mechanism: str | None
    also: tuple[str, ...]
    reachable: bool | None
    locus: Locus
    evidence: Evidence
    grade: Grade
    rule_id: str
    ruleset: str
    reference: str
    simulated: bool
    vantage: Vantage = Vantage.PROBE
