"""The tests of platforms and of the path as observations. None of them has a control of its own.

Sources: ooni/spec `nettests/`: ts-006, ts-007, ts-016, ts-023, ts-028, ts-036, ts-039.
"""

from __future__ import annotations

from kholo.model import Observation
from kholo.sources import keys as raw
from kholo.sources.formats import Handshake

from . import steps
from .steps import DNS, HTTP, PROBE, TCP, TLS, endpoint, failure, handshake

#: What a step without a failure string, that did not work either, is called.
UNKNOWN = "unknown_failure"
MAX_TARGETS = 256


def plain(keys: raw.Plain) -> list[Observation]:
    """A test that writes its steps, and one failure for the whole."""
    return [*steps.observe(keys), _whole(failure(keys.failure))]


def _whole(failed: str | None) -> Observation:
    return Observation(HTTP, PROBE, engine="result", failure=failed)


def bootstrap(keys: raw.Bootstrap) -> list[Observation]:
    """vanilla_tor: the result, with how far it got as the length (percent)."""
    failed = failure(keys.failure) or (None if keys.success else UNKNOWN)
    progress = keys.tor_progress or 0
    return [Observation(HTTP, PROBE, engine="result", failure=failed, length=max(0, min(progress, 100)))]


def tor(keys: raw.Tor) -> list[Observation]:
    """Each target's steps, with its kind as the target; one that was never tried has its failure as a connection."""
    found: list[Observation] = []
    for target in list((keys.targets or {}).values())[:MAX_TARGETS]:
        kind = (target.target_protocol or "")[:32]
        if kind.startswith("or_port"):
            # Relays sign their own certificates: a handshake that ended with one has done all it can.
            for shake in target.tls_handshakes or ():
                shake.no_tls_verify = True
        made = steps.observe(target, kind)
        ip, port = endpoint(target.target_address)
        found += made or [Observation(TCP, PROBE, "", ip, port, failure(target.failure), target=kind)]
        if kind == "obfs4" and target.failure and made and not any(row.failure for row in made):
            # The handshake of obfs4 has no list of its own.
            found.append(Observation(TLS, PROBE, "", ip, port, failure(target.failure), target=kind))
    return found


def dnscheck(keys: raw.DnsCheck) -> list[Observation]:
    """The lookup of the resolver's name, then each lookup by way of one of its addresses."""
    found = steps.observe(keys.bootstrap) if keys.bootstrap else []
    if keys.bootstrap_failure and not any(row.layer is DNS for row in found):
        found.append(Observation(DNS, PROBE, engine="system", failure=failure(keys.bootstrap_failure)))
    for lookup in list((keys.lookups or {}).values())[:MAX_TARGETS]:
        found += [row for row in steps.observe(lookup) if row.layer is not DNS]
        found.append(Observation(HTTP, PROBE, engine="lookup", failure=failure(lookup.failure)))
    return found


def echcheck(keys: raw.EchCheck) -> list[Observation]:
    """Handshakes, with target `ech` where the extension was in them."""
    found = steps.observe(keys)
    shakes = [(shake, "ech" if shake.echconfig else "") for shake in keys.tls_handshakes or ()]
    shakes += [(shake, kind) for shake, kind in ((keys.control, ""), (keys.target, "ech")) if shake]
    return [row for row in found if row.layer is not TLS] + [_ech(shake, kind) for shake, kind in shakes]


def _ech(shake: Handshake, kind: str) -> Observation:
    return handshake(shake, TLS, target=kind)


def middlebox(keys: raw.Middlebox) -> list[Observation]:
    """Whether what an echo server got was what had been sent; nothing where the test does not say."""
    told = keys.tampering
    if isinstance(told, dict):
        # `header_name_diff` is a list; `total` means that no answer came back in the form that was asked for.
        marks = [value for name, value in told.items() if name != "total"]
        if told.get("total"):
            return [_whole(UNKNOWN)]
        told = any(bool(mark) for mark in marks) if marks else None
    if told is None:
        return []
    return [Observation(HTTP, PROBE, engine="echo", failure="tampered" if told else None)]


def browser(keys: raw.Browser) -> list[Observation]:
    """Whether a page could be loaded."""
    if keys.result not in ("ok", "error"):
        return []
    return [_whole(None if keys.result == "ok" else UNKNOWN)]
