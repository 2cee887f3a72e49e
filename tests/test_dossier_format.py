"""docs/dossier-format.md says what is so: its example is computed anew, its list of files is that of real dossiers."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from pathlib import Path

from kholo.evidence import seal, tree

from . import dossiers

TEXT = (Path(__file__).parents[1] / "docs" / "dossier-format.md").read_text()


def test_the_worked_example() -> None:
    rows = re.findall(r"^\| `(data/.\.txt)` \| `([0-9a-f]{64})` \| `([0-9a-f]{64})` \|$", TEXT, re.M)
    contents = (b"a\n", b"b\n", b"")
    assert [path for path, _, _ in rows] == ["data/a.txt", "data/b.txt", "data/c.txt"]
    leaves = []
    for number, ((path, digest, leaf), content) in enumerate(zip(rows, contents, strict=True)):
        assert hashlib.sha256(content).hexdigest() == digest
        made = seal.Leaf(path, digest, bytes([number] * 32).hex())
        assert made.hash().hex() == leaf
        leaves.append(made)
    found = re.search(r"first two is `([0-9a-f]{64})`, the root `([0-9a-f]{64})`", TEXT)
    assert found is not None
    node, root = found.groups()
    assert tree.node_hash(leaves[0].hash(), leaves[1].hash()).hex() == node
    assert seal.root_of(leaves) == root


def _described() -> dict[str, bool]:
    """Patterns of paths, and whether every dossier has one."""
    part = TEXT.partition("## Bag")[2].partition("## Seal")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| .+ \| (yes|optional) \|$", part, re.M)
    return {pattern: always == "yes" for cells, always in rows for pattern in re.findall(r"`([^`]+)`", cells)}


def test_the_list_of_files_is_that_of_a_dossier(small_dossier: Path, authority: Path, tmp_path: Path) -> None:
    names = dossiers.files_of(dossiers.stamped(tmp_path, small_dossier, authority))
    described = _described()
    assert len(described) > 30
    strange = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in described)]
    assert strange == []
    always = [pattern for pattern, is_always in described.items() if is_always]
    assert [pattern for pattern in always if not any(fnmatchcase(name, pattern) for name in names)] == []


def test_the_example_of_a_statement() -> None:
    found = re.search(r"(    kholo-dossier/1\n(?:    .*\n){5})", TEXT)
    assert found is not None
    lines = found[1].replace("<64 hex digits>", "0" * 64).replace("\n    ", "\n")[4:]
    assert seal.Statement.decode(lines.encode()).encode() == lines.encode()


def test_the_other_verifier_is_short_enough_to_be_read() -> None:
    assert len((dossiers.CONTRIB / "verify_dossier.py").read_text().splitlines()) <= 200
