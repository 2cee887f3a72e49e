"""The Merkle tree: the field's own vectors, and proofs that check for what they prove and for nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.evidence import tree

from .tlogs import inclusion

# The tree of the tests of Certificate Transparency's reference implementation (certificate-transparency-go and others).
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
FIRST_OF_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
HASHES = [tree.leaf_hash(leaf) for leaf in LEAVES]


def test_roots_are_those_of_the_known_tree() -> None:
    assert [tree.root(HASHES[:size]).hex() for size in range(9)] == ROOTS


def test_a_proof_is_that_of_the_known_tree() -> None:
    assert [item.hex() for item in inclusion(HASHES, 0)] == FIRST_OF_EIGHT


def test_the_proof_of_a_leaf_on_an_uneven_edge_by_hand() -> None:
    # Of three leaves the third hangs on the root itself.
    left = tree.node_hash(HASHES[0], HASHES[1])
    assert inclusion(HASHES[:3], 2) == [left]
    assert inclusion(HASHES[:3], 1) == [HASHES[0], HASHES[2]]
    assert tree.root(HASHES[:3]) == sha256(b"\1" + left + HASHES[2]).digest()


def test_every_proof_of_small_trees_checks_and_none_for_another_place_or_size() -> None:
    hashes = [tree.leaf_hash(bytes([place])) for place in range(20)]
    roots = [tree.root(hashes[:size]) for size in range(21)]
    for size in range(21):
        for index in range(size):
            proof = inclusion(hashes[:size], index)
            right = [
                (place, of)
                for of in range(21)
                for place in range(of)
                if tree.check_inclusion(hashes[index], place, of, proof, roots[size])
            ]
            assert (index, size) in right
            # The same way up can stand for the same leaf in trees of other sizes, never for another leaf.
            assert all(place == index or of != size for place, of in right)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    for index in (-1, 8):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(HASHES, index)
    assert not tree.check_inclusion(HASHES[0], -1, 8, [], HASHES[0])
    assert not tree.check_inclusion(HASHES[0], 0, 0, [], tree.EMPTY)
    assert tree.check_inclusion(HASHES[0], 0, 1, [], HASHES[0])


def test_hashes_cut_at_another_place_are_none() -> None:
    """Two hashes side by side have the same bytes wherever the one is said to end."""
    both = HASHES[0] + HASHES[1]
    assert tree.check_inclusion(both[:32], 0, 2, [both[32:]], tree.root(HASHES[:2]))
    assert not tree.check_inclusion(both[:40], 0, 2, [both[40:]], tree.root(HASHES[:2]))


@st.composite
def altered(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """A proof with a bit changed, or an item more, less, longer, shorter, or moved."""
    place = draw(st.integers(0, max(0, len(proof) - 1)))
    kind = draw(st.sampled_from(("bit", "less", "cut", "long", "more", "swap"))) if proof else "more"
    other = list(proof)
    if kind == "bit":
        bit = draw(st.integers(0, 255))
        other[place] = (int.from_bytes(other[place]) ^ (1 << bit)).to_bytes(32)
    elif kind == "less":
        del other[place]
    elif kind == "cut":
        other[place] = other[place][:-1]
    elif kind == "long":
        other[place] += b"\0"
    elif kind == "swap":
        other.reverse()
    else:
        other.insert(place, draw(st.binary(min_size=32, max_size=32)))
    return other


@given(st.data(), st.integers(1, 300))
def test_no_altered_proof_checks(data: st.DataObject, size: int) -> None:
    hashes = [tree.leaf_hash(place.to_bytes(4)) for place in range(size)]
    top = tree.root(hashes)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(hashes, index)
    assert tree.check_inclusion(hashes[index], index, size, proof, top)
    other = data.draw(altered(proof))
    assert other == proof or not tree.check_inclusion(hashes[index], index, size, other, top)
