"""Parts of a dossier left out or blacked out, with proof that nothing else changed: the root stays what was signed."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from kholo.model import DossierError, UsageError

from . import bag, seal
from .bundle import MAX_LIST, Dossier
from .checks import form, head_of
from .seal import Leaf

BLACK = "[redacted]"
#: Texts shorter than this stand in too many words.
MIN_TEXT = 3
_PACKED = ".gz"
INDEX = "data/raw/index.jsonl"
#: Files in a form that can't be searched: they go with what they were made of, where that is touched at all.
_OPAQUE = {"data/papers/": ("data/case/", "data/results/"), "data/tables/": ("data/raw/",)}
#: What an entry of the record that is left out would still be read in.
_TOLD = {"data/case/": ("data/results/", "data/pages/", "data/papers/")}
#: Rules, fingerprints and lists of libraries: they name nobody, and a re-run needs them as they were.
_IMPERSONAL = ("data/reference/", "data/software/")
_FILE = re.compile(rb'"file":"([^"]+)"')
_UID = re.compile(rb'"(?:measurement_)?uid":\s*"([A-Za-z0-9_.-]{8,128})"')
_TEXT = (".json", ".jsonl", ".toml", ".txt", ".html", ".svg", ".csv", ".xml", ".atom", ".md", ".css", ".js")


class Redaction(msgspec.Struct, frozen=True):
    """What was done: files left out and files blacked out (paths in the bag), and the SHA-256 of the new file."""

    withheld: tuple[str, ...]
    blacked: tuple[str, ...]
    digest: str


def redact(dossier: Dossier, out: Path, paths: Sequence[str], texts: Sequence[str], why: str) -> Redaction:
    """Write a dossier without some files (`paths`, folders too), and with some texts blacked out wherever they stand.

    What can't be searched and may hold a text is left out. The statement, signatures and times stay: they hold of the
    new file too. Raises `UsageError` for what is not there, `DossierError` for a dossier that does not hold.
    """
    for check in form(dossier):
        if check.outcome == "failed":
            raise DossierError(f"{check.says}; only a dossier that holds can be redacted")
    if not why.strip():
        raise UsageError("say why something is withheld: a reader has a right to that")
    leaves = dossier.leaves()
    gone = set(_named(leaves, paths))
    gone |= _below(leaves, [part for made_of, parts in _TOLD.items() if _any(gone, made_of) for part in parts])
    forms = [form for text in texts for form in _forms(_checked(text))]
    blacked = dict(_blacked(dossier, leaves, gone, [*forms, *_traces(dossier, gone)]))
    gone |= {name for name, data in blacked.items() if data is None}
    touched = {*gone, *blacked}
    gone |= _below(leaves, [part for part, made_of in _OPAQUE.items() if any(_any(touched, one) for one in made_of)])
    instead: dict[str, bytes | None] = {**blacked, **dict.fromkeys(gone)}
    if not instead:
        raise UsageError("nothing to withhold: no file has this text")
    _check_salts(dossier, instead)
    new = [_leaf(leaf, instead, why) for leaf in leaves]
    digest = _rewritten(dossier, out, instead, new)
    return Redaction(tuple(sorted(gone)), tuple(sorted(set(instead) - gone)), digest)


def _named(leaves: Iterable[Leaf], paths: Sequence[str]) -> Iterator[str]:
    there = [leaf.path for leaf in leaves if leaf.path]
    for path in paths:
        full = path if path.startswith(bag.PAYLOAD) else f"{bag.PAYLOAD}{path}"
        found = [name for name in there if name == full or name.startswith(f"{full.rstrip('/')}/")]
        if not found:
            raise UsageError(f"{path}: no file of the dossier is called so (see its manifest)")
        if bag.HEAD in found:
            raise UsageError(f"{bag.HEAD}: can't be withheld; it says what the dossier is of")
        yield from found


def _checked(text: str) -> str:
    if len(text.strip()) < MIN_TEXT:
        raise UsageError(f"{text!r}: a text to black out has at least {MIN_TEXT} characters")
    return text.strip()


def _forms(text: str) -> list[bytes]:
    """How a text may be written in TOML, JSON and HTML, the longest first."""
    quoted = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    every = {text, html.escape(text), html.escape(text, quote=False), text.replace("'", "&#39;"), *quoted}
    return sorted((one.encode() for one in every), key=lambda one: (-len(one), one))


def _blacked(
    dossier: Dossier, leaves: Sequence[Leaf], gone: Collection[str], forms: Sequence[bytes]
) -> Iterator[tuple[str, bytes | None]]:
    """The files that hold a text, with it blacked out; None: left out, since it can't be blacked out in there."""
    for leaf in leaves if forms else ():
        name = leaf.path
        if not name or name in gone or name.startswith(_IMPERSONAL):
            continue
        data = dossier.read(name, MAX_LIST)
        if name.endswith(_PACKED):
            if any(form in _unpacked(name, data) for form in forms):
                yield name, None
        elif any(form in data for form in forms):
            if name == bag.HEAD:
                raise UsageError("the title of the case holds the text; make the dossier anew under another title")
            yield name, _black(data, forms) if name.endswith(_TEXT) else None


def _unpacked(name: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DossierError(f"{name}: can't be unpacked ({error})") from None


def _black(data: bytes, forms: Iterable[bytes]) -> bytes:
    for text in forms:
        data = data.replace(text, BLACK.encode())
    return data


def _traces(dossier: Dossier, gone: Collection[str]) -> Iterator[bytes]:
    """What tells which raw measurements were left out: their lines in the index, and their ids wherever they stand."""
    raw = [name for name in sorted(gone) if name.startswith("data/raw/") and name.endswith(_PACKED)]
    named = set(raw)
    for line in dossier.read(INDEX, MAX_LIST).splitlines() if raw else ():
        if any(match.decode() in named for match in _FILE.findall(line)):
            yield line
            yield from _UID.findall(line)
    for name in raw:
        yield from _UID.findall(_unpacked(name, dossier.read(name, MAX_LIST)))


def _any(names: Iterable[str], below: str) -> bool:
    return any(name.startswith(below) for name in names)


def _below(leaves: Iterable[Leaf], parts: Sequence[str]) -> set[str]:
    return {leaf.path for leaf in leaves if leaf.path.startswith(tuple(parts))} if parts else set()


def _check_salts(dossier: Dossier, instead: Collection[str]) -> None:
    """With salts that anybody can make, a withheld text could be found by trying; raw measurements can't be guessed."""
    guessable = [name for name in instead if not name.startswith("data/raw/")]
    if head_of(dossier).salts == "public" and guessable:
        raise UsageError(
            f"{min(guessable)}: this dossier was made without a key, and so what is withheld could be found out by"
            " trying texts until the digest fits; make it anew with: kholo dossier --key"
        )


def _leaf(leaf: Leaf, instead: dict[str, bytes | None], why: str) -> Leaf:
    if not leaf.path or leaf.path not in instead:
        return leaf
    sealed, data = leaf.hash().hex(), instead[leaf.path]
    if data is None:
        return Leaf(leaf=sealed, withheld=why)
    return Leaf(path=leaf.path, sha256=hashlib.sha256(data).hexdigest(), leaf=sealed, withheld=why)


def _rewritten(dossier: Dossier, out: Path, instead: dict[str, bytes | None], leaves: Sequence[Leaf]) -> str:
    head = head_of(dossier)
    sizes = {name: dossier.size(name) for name in dossier.names if name.startswith(bag.PAYLOAD) and name not in instead}
    sizes |= {name: len(data) for name, data in instead.items() if data is not None}
    kept = {name: dossier.read(name, MAX_LIST) for name in dossier.tags}
    tags = {
        **kept,
        bag.INFO: bag.info(head, sizes.values()),
        bag.MANIFEST: bag.manifest({leaf.path: leaf.sha256 for leaf in leaves if leaf.path}),
        seal.LEAVES: seal.encode_leaves(leaves),
    }
    return dossier.rewritten(out, instead, tags)
