"""Who signed a dossier, when it was there, and in which logs it stands: the checks of its seal, all offline.

Nothing inside of a dossier says whom to trust: keys, roots and logs are handed in. What is right but by nobody who is
known is never more than that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from kholo.model import DossierError, EnvironmentFault, KholoError, UnknownRoot, UsageError
from kholo.model.text import clean

from . import bag, log, note, opentimestamps, seal, sshsig, timestamp, tlog
from .bundle import MAX_TAG, Dossier
from .checks import Check, failed, not_checked, passed
from .faults import LogError
from .keys import PublicKey
from .signers import Signers

if TYPE_CHECKING:
    from cryptography import x509

_SIGNATURES, _TIMES, _LOGS = "seal/signatures/", "seal/timestamps/", "seal/log/"
_PROOFS = "seal/opentimestamps/"
_TIME = re.compile(r"seal/timestamps/(\d{4})/(covers\.txt|response\.tsr)")


class Trust(msgspec.Struct, frozen=True):
    """Whom a reader trusts. `signers` are names for keys, `roots` are of timestamp authorities beside the pinned ones.

    `blocks` are of Bitcoin, for proofs of OpenTimestamps. `log` is a log to look the dossier up in, `log_keys` the keys
    of logs that are known, `seen` an older checkpoint.
    """

    signers: Signers | None = None
    roots: Sequence[x509.Certificate] = ()
    blocks: tuple[opentimestamps.Block, ...] = ()
    log: tlog.Reader | None = None
    log_keys: Sequence[note.Key] = ()
    seen: bytes | None = None


def witnesses(dossier: Dossier, trust: Trust, now: datetime) -> Iterator[Check]:
    """All checks of the seal beside the tree. `now` is UTC: keys may be valid for a time only."""
    yield from signatures(dossier, trust.signers, now)
    yield from times(dossier, trust.roots)
    yield from proofs(dossier, trust.blocks)
    yield from logs(dossier, trust)


def signatures(dossier: Dossier, signers: Signers | None, now: datetime) -> Iterator[Check]:
    """Each signature over the statement."""
    ids = _signatures(dossier)
    if not ids:
        yield not_checked("signature", "nobody signed this dossier")
        return
    yield from by_keys(ids, lambda identity: _signed(dossier, identity), seal.NAMESPACE, "dossier", signers, now)


def signed_with(dossier: Dossier) -> tuple[PublicKey, ...]:
    """The keys of all signatures. Raises `KholoError` for a wrong one, `EnvironmentFault` where none can be checked."""
    return tuple(_signed(dossier, identity) for identity in _signatures(dossier))


def _signatures(dossier: Dossier) -> list[str]:
    names = {name for name in dossier.names if name.startswith(_SIGNATURES)}
    return sorted({name.removeprefix(_SIGNATURES).partition(".")[0] for name in names})


def by_keys(
    ids: Sequence[str],
    signed: Callable[[str], PublicKey],
    namespace: str,
    what: str,
    signers: Signers | None,
    now: datetime,
) -> Iterator[Check]:
    """Each signature by its id; `signed` gives its key, or raises `KholoError`. `what` is that which was signed."""
    known = unchecked = 0
    for identity in ids:
        try:
            key = signed(identity)
        except EnvironmentFault as error:
            # What is missing here says nothing of the signature.
            unchecked += 1
            yield not_checked("signature", f"the signature {identity} can't be checked here: {error}")
            continue
        except KholoError as error:
            yield failed("signature", f"the signature {identity} is not right: {error}")
            continue
        who = signers.principals(key, namespace, now) if signers else ()
        known += bool(who)
        if who:
            yield passed(
                "signature", f"signed by {', '.join(who)} (key {key.fingerprint}), as your list of signers says"
            )
        else:
            whose = "which is not in your list of signers" if signers else "whose it is you have to know: --signers"
            yield not_checked("signature", f"signed rightly with the key {key.fingerprint}; {whose}")
    if signers and not known and not unchecked:
        yield failed("signature", f"nobody in your list of signers signed this {what}")


def _signed(dossier: Dossier, identity: str) -> PublicKey:
    name = f"{_SIGNATURES}{identity}"
    armored, public = (dossier.read(f"{name}.{part}", MAX_TAG) for part in ("sig", "pub"))
    return sshsig.check_beside(dossier.read(seal.STATEMENT, MAX_TAG), armored, public, seal.NAMESPACE, identity)


def covered(dossier: Dossier) -> tuple[str, bytes]:
    """The place of the next timestamp, and what it is to cover: the statement, who signed it, all timestamps so far."""
    numbers = _numbers(dossier)
    names = [name for name in dossier.names if name.startswith((_SIGNATURES, _TIMES))]
    digests = {name: dossier.digest(name) for name in (seal.STATEMENT, *names)}
    return f"{_TIMES}{len(numbers) + 1:04}", bag.manifest(digests)


def _numbers(dossier: Dossier) -> list[int]:
    """The numbers of the timestamps. Raises `DossierError` where one is missing or not complete."""
    found = sorted(match.groups() for name in dossier.names if (match := _TIME.fullmatch(name)))
    numbers = sorted({int(number) for number, _ in found})
    if numbers != list(range(1, len(numbers) + 1)) or len(found) != 2 * len(numbers):
        raise DossierError(f"{_TIMES}: a timestamp is missing or not complete")
    return numbers


def times(dossier: Dossier, roots: Sequence[x509.Certificate]) -> Iterator[Check]:
    """Each timestamp, and what it covers."""
    try:
        numbers = _numbers(dossier)
        if not numbers:
            yield not_checked("time", "no authority says when this dossier was there (kholo timestamp)")
        for number in numbers:
            yield _time(dossier, number, roots)
    except DossierError as error:
        yield failed("time", str(error))


def stamped_by(dossier: Dossier) -> tuple[timestamp.Stamped | None, ...]:
    """All timestamps; None for one by an authority that is not pinned here.

    Raises `KholoError` for a wrong one, `EnvironmentFault` where none can be checked.
    """
    return tuple(_known(dossier, number) for number in _numbers(dossier))


def _known(dossier: Dossier, number: int) -> timestamp.Stamped | None:
    covers, response, _ = _covering(dossier, number)
    try:
        return timestamp.check(response, covers, timestamp.pinned())
    except UnknownRoot:
        return None


def _covering(dossier: Dossier, number: int) -> tuple[bytes, bytes, dict[str, str]]:
    """What a timestamp covers, the response, and the digests in the former. Raises `DossierError`."""
    name = f"{_TIMES}{number:04}"
    covers, response = (dossier.read(f"{name}/{part}", MAX_TAG) for part in ("covers.txt", "response.tsr"))
    digests = bag.decode_manifest(f"{name}/covers.txt", covers)
    earlier = [other for other in dossier.names if other.startswith(_TIMES) and other < f"{name}/"]
    if missing := {seal.STATEMENT, *earlier} - digests.keys():
        raise DossierError(f"{name}/covers.txt: does not cover {min(missing)}")
    for other, digest in digests.items():
        if not other.startswith(_SIGNATURES) and other not in (seal.STATEMENT, *earlier):
            raise DossierError(f"{name}/covers.txt: covers {other}, which came later or is no part of the seal")
        if other not in dossier.names or dossier.digest(other) != digest:
            raise DossierError(f"{name}/covers.txt: covers another {other} than the one that is here")
    return covers, response, digests


def _time(dossier: Dossier, number: int, roots: Sequence[x509.Certificate]) -> Check:
    name = f"{_TIMES}{number:04}"
    covers, response, digests = _covering(dossier, number)
    try:
        stamped = timestamp.check(response, covers, (*timestamp.pinned(), *roots))
    except UnknownRoot as error:
        return not_checked("time", f"a timestamp by an authority that is not known here: {error}")
    except EnvironmentFault as error:
        return not_checked("time", f"{name}/response.tsr can't be checked here: {error}")
    except KholoError as error:
        return failed("time", f"{name}/response.tsr: {error}")
    signed = sum(other.endswith(".sig") for other in digests)
    beside = f", with {signed} of its signatures" if signed else ", not its signatures"
    return passed(
        "time",
        f"it was there on {stamped.time:%Y-%m-%d %H:%M:%S} UTC{beside}, says {stamped.authority}",
        (
            f"root {stamped.root}",
            f"serial {stamped.serial}",
            f"policy {stamped.policy}",
            f"a later timestamp should renew it before {stamped.until:%Y-%m-%d}, when a certificate of its chain ends",
        ),
    )


def proofs(dossier: Dossier, blocks: tuple[opentimestamps.Block, ...]) -> Iterator[Check]:
    """Each proof of OpenTimestamps over the statement."""
    for name in dossier.names:
        if name.startswith(_PROOFS):
            try:
                yield _proof(name, dossier.read(name, MAX_TAG), dossier.statement.encode(), blocks)
            except EnvironmentFault as error:
                yield not_checked("time", f"{name}: {error}")
            except KholoError as error:
                yield failed("time", f"{name}: {error}")


def _proof(name: str, proof: bytes, statement: bytes, blocks: tuple[opentimestamps.Block, ...]) -> Check:
    found = opentimestamps.check(proof, statement, blocks)
    if found.blocks:
        first = found.blocks[0]
        return passed(
            "time",
            f"it was there at about {first.time:%Y-%m-%d %H:%M} UTC, give or take two hours, says a block of Bitcoin",
            (f"block {first.digest}: look it up elsewhere, one header alone is no chain",),
        )
    if found.unknown:
        return not_checked("time", f"{name} leads to a block of Bitcoin that is not known here: --bitcoin-headers")
    return not_checked(
        "time", f"{name} is only a promise of {clean(', '.join(found.pending))} so far, and proves nothing"
    )


def proof_place(dossier: Dossier, proof: bytes) -> str:
    """Where a proof of OpenTimestamps stands in the dossier.

    Raises `UsageError` where it is only promised, `TimestampError` where it is none over this statement.
    """
    found = opentimestamps.check(proof, dossier.statement.encode(), ())
    if not found.unknown:
        who = clean(", ".join(found.pending)) or "nobody"
        raise UsageError(f"the proof is only a promise of {who} so far: have your client upgrade it in some hours")
    return f"{_PROOFS}{hashlib.sha256(proof).hexdigest()[:16]}.ots"


def log_place(proof: bytes) -> str:
    """Where the proof of a log stands in the dossier: where an older one of this log is. Raises `LogError`."""
    origin = tlog.parse_proof(proof).origin
    slug = re.sub(r"[^a-z0-9.-]+", "-", origin.lower())[:40]
    return f"{_LOGS}{slug}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}.proof"


def logs(dossier: Dossier, trust: Trust) -> Iterator[Check]:
    """The proofs of logs that travel with the dossier, and the log that the reader named."""
    statement = dossier.statement.encode()
    carried = [name for name in dossier.names if name.startswith(_LOGS)]
    for name in carried:
        yield _carried(dossier, name, statement, trust.log_keys)
    if trust.log is not None:
        yield _looked_up(trust, statement)
    elif not carried:
        yield not_checked("log", "whether another dossier of this case was made public before or after: --log")


def _carried(dossier: Dossier, name: str, statement: bytes, keys: Sequence[note.Key]) -> Check:
    data = dossier.read(name, MAX_TAG)
    try:
        origin = tlog.parse_proof(data).origin
        if not any(key.name == origin for key in keys):
            return not_checked("log", f"it carries a proof of the log {origin}, whose key is not known here: --log-key")
        found = log.check_proof(data, statement, keys)
    except EnvironmentFault as error:
        return not_checked("log", f"{name} can't be checked here: {error}")
    except LogError as error:
        return failed("log", f"{name}: {error}")
    return passed(
        "log", f"it is entry {found.index} of the log {found.origin}, as the proof shows that travels with it"
    )


def _looked_up(trust: Trust, statement: bytes) -> Check:
    reader = trust.log
    if reader is None:
        raise TypeError("no log")
    try:
        found = log.check(reader, statement, trust.log_keys or log.own_keys(reader), trust.seen)
    except EnvironmentFault as error:
        return not_checked("log", f"the log can't be read or checked here: {error}")
    except LogError as error:
        return failed("log", str(error))
    details = [f"superseded by entry {later.index}, as of {later.entry.as_of}" for later in found.later or ()]
    if not trust.log_keys:
        details.append("by the key that lies beside the log: whoever serves it could have put it there (--log-key)")
    if trust.seen is None:
        details.append("no older checkpoint was compared, so that another history was shown to others is not excluded")
    says = f"it is entry {found.index} of {found.size} of the log {found.origin}"
    newer = f", and {len(found.later)} later dossiers of its case are there" if found.later else ""
    return passed("log", says + newer, details)
