"""What is checked of a dossier by itself: its form, its hashes, its tree, its signatures and its times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

import msgspec

from kholo.model import DossierError

from . import bag, seal
from .bag import Head
from .bundle import MAX_TAG, Dossier
from .seal import Leaf

#: Names of files that a person reads of one kind of fault.
FEW = 20


class Outcome(StrEnum):
    """What a check came to. Nothing has passed because there was nothing to look at."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at. `says` is a sentence for a person, `details` what it rests on, one a line.

    The JSON names are public.
    """

    check: str
    outcome: Outcome
    says: str
    details: tuple[str, ...] = ()


def passed(check: str, says: str, details: Sequence[str] = ()) -> Check:
    """What was established."""
    return Check(check, Outcome.PASSED, says, tuple(details))


def failed(check: str, says: str, details: Sequence[str] = ()) -> Check:
    """What is not as it should be. Of many details the first are kept, and how many there were."""
    few = [*details[:FEW], f"and {len(details) - FEW} more"] if len(details) > FEW else details
    return Check(check, Outcome.FAILED, says, tuple(few))


def not_checked(check: str, says: str, details: Sequence[str] = ()) -> Check:
    """What could not be looked at, and why."""
    return Check(check, Outcome.NOT_CHECKED, says, tuple(details))


def guarded(check: str, run: Callable[[], Check]) -> Check:
    """A check; what it finds damaged is a failure with its place."""
    try:
        return run()
    except DossierError as error:
        return failed(check, str(error))


def form(dossier: Dossier, tell: Callable[[int, int], None] = lambda _done, _all: None) -> Iterator[Check]:
    """Whether the dossier is whole: container, manifests, tree. `tell` is called with files done and in all."""
    yield guarded("files", lambda: _files(dossier, tell))
    yield guarded("tree", lambda: _tree(dossier))
    yield guarded("bag", lambda: _bag(dossier))


def _files(dossier: Dossier, tell: Callable[[int, int], None]) -> Check:
    """Every file against the manifests, and nothing beside what they name."""
    wanted = bag.decode_manifest(bag.TAGS, dossier.read(bag.TAGS, MAX_TAG))
    payload = dossier.manifest
    if sorted(wanted) != sorted(dossier.tags):
        raise DossierError(f"{bag.TAGS}: names other files than there are")
    there = [name for name in dossier.names if name.startswith(bag.PAYLOAD)]
    wrong = [f"{name}: is missing" for name in sorted(payload.keys() - set(there))]
    wrong += [f"{name}: stands in no manifest" for name in there if name not in payload]
    wanted |= payload
    names = [name for name in dossier.names if name in wanted]
    for done, name in enumerate(names, 1):
        try:
            if dossier.digest(name) != wanted[name]:
                wrong.append(f"{name}: was changed")
        except DossierError as error:
            wrong.append(str(error))
        if done % 1_000 == 0 or done == len(names):
            tell(done, len(names))
    if wrong:
        return failed("files", f"{len(wrong)} files are missing, added or changed", wrong)
    return passed("files", f"all {len(names)} files are there, none beside them, each with the SHA-256 it should have")


def _tree(dossier: Dossier) -> Check:
    """The tree over the payload against the statement that is signed, and against the manifest."""
    leaves = dossier.leaves()
    said = dossier.statement
    if len(leaves) != said.leaves or seal.root_of(leaves) != said.root:
        raise DossierError("the tree over the files has another root than the statement that is signed")
    placed = {leaf.path: leaf.sha256 for leaf in leaves if leaf.path}
    if len(placed) != sum(bool(leaf.path) for leaf in leaves) or placed != dossier.manifest:
        raise DossierError("the tree is not of the files that are there")
    held = [leaf for leaf in leaves if not leaf.is_open]
    says = f"the {len(leaves)} files were sealed together under the root {said.root}"
    if not held:
        return passed("tree", f"{says}, and nothing was withheld")
    details = [_withheld(leaf) for leaf in held]
    return passed("tree", f"{says}; {len(held)} of them are withheld here, and no other was changed", details)


def _withheld(leaf: Leaf) -> str:
    where = (
        f"{leaf.path} stands redacted in the place of what was sealed" if leaf.path else f"a file of leaf {leaf.leaf}"
    )
    return f"{where}: {leaf.withheld}"


def head_of(dossier: Dossier) -> Head:
    """What the dossier says of itself. Raises `DossierError`."""
    return bag.decode_head(dossier.read(bag.HEAD, MAX_TAG))


def _bag(dossier: Dossier) -> Check:
    """What is not under the tree is made from what is, to the byte."""
    head, said = head_of(dossier), dossier.statement
    if (head.format, head.case, head.as_of, head.simulated) != (seal.FORMAT, said.case, said.as_of, said.simulated):
        raise DossierError(f"{bag.HEAD}: says something else than the statement that is signed")
    sizes = (dossier.size(name) for name in dossier.names if name.startswith(bag.PAYLOAD))
    expected = {bag.BAGIT: bag.declaration(), bag.INFO: bag.info(head, sizes)}
    for name, data in expected.items():
        if dossier.read(name, MAX_TAG) != data:
            raise DossierError(f"{name}: was changed")
    return passed("bag", "it is a bag of BagIt 1.0 (RFC 8493), and its description is that of what is in it")
