"""Sets of verdicts: each is made by one ruleset and one lot of reference data, and keeps a copy of both.

Of snapshots (`kholo.reference.snapshots`) it keeps the names: they stay in the store as they are.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from kholo.judge import Judge, load_ruleset
from kholo.model import ReferenceDataError, UsageError
from kholo.reference import load_kept, load_reference
from kholo.store import Store

RULES = "rules.toml"


def judge_for(store: Store | None, fingerprints: tuple[Path, ...] = (), rules: Path | None = None) -> Judge:
    """The rules of a file, or the shipped ones, with the reference data that a store has: nothing else says which.

    `fingerprints` are files that hold besides, on all days. Without a store there is what is shipped.
    """
    reference = load_reference(fingerprints, store.reference if store else None)
    return Judge(load_ruleset(rules) if rules else load_ruleset(), reference)


def name_of(judge: Judge) -> str:
    """The name of the set that these rules and this reference data make: their digests."""
    return f"{judge.ruleset.digest}-{judge.reference.digest}"


def keep(store: Store, judge: Judge) -> str:
    """Keep a copy of what decides, so that what was decided can be explained later. The name of the set."""
    name = name_of(judge)
    target = store.sets / name
    if target.exists():
        return name
    store.sets.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".", dir=store.sets))
    for file, data in ((RULES, judge.ruleset.source), *judge.reference.files):
        path = draft / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    try:
        draft.rename(target)
    except OSError:
        # Another process kept the same set meanwhile.
        shutil.rmtree(draft)
        if not target.exists():
            raise
    return name


def load(store: Store, name: str) -> Judge:
    """The judge that made a set. Raises `ReferenceDataError` when its copy is damaged."""
    folder = store.sets / name
    judge = Judge(load_ruleset(folder / RULES), load_kept(folder, store.reference))
    if (found := name_of(judge)) != name:
        raise ReferenceDataError(
            f"{folder}: these rules and this reference data are {found}, not what the name says: remove the folder, and"
            " `kholo rejudge` with the files it was made from keeps them again"
        )
    return judge


def names(store: Store) -> list[str]:
    """The sets of the store, sorted."""
    return sorted(path.name for path in store.sets.glob("[!.]*")) if store.sets.is_dir() else []


def find(store: Store, beginning: str) -> str:
    """The one set whose name begins like this. Raises `UsageError` listing those there are."""
    found = [name for name in names(store) if name.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(names(store)) or "none"
    what = "no set begins" if not found else f"{len(found)} sets begin"
    raise UsageError(f"{store.root}: {what} with {beginning!r}; sets of verdicts here: {there}")
