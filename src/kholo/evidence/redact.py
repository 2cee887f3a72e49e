"""Parts of a dossier left out or blacked out, with proof that nothing else changed: the root stays what was signed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kholo.model import DossierError, UsageError
from kholo.packed import BROKEN, TooLarge, inflated

from . import bag, seal
from .bundle import MAX_LIST, Dossier
from .checks import form, head_of
from .seal import Leaf
from .traces import BLACK, Tokens, pattern

#: Texts shorter than this stand in too many words.
MIN_TEXT = 3
_PACKED, _DECODED = ".gz", ".decoded"
_RAW, _CASE, _ENTRIES = "data/raw/", "data/case/", "data/case/entries/"
_RESULTS, _PAGES, _PAPERS, _LANGUAGES = "data/results/", "data/pages/", "data/papers/", "data/case/languages/"
INDEX, _OBJECTS = "data/raw/index.jsonl", "data/raw/objects.jsonl"
_FIGURES, _CUSTODY = "data/results/case.json", "data/custody.jsonl"
#: Files in a form that can't be searched: they go with what they were made of, where that is touched at all.
#: The custody log has digests of the files of a case without a salt, and in a chain that can't be blacked out.
_OPAQUE = {_PAPERS: (_CASE, _RESULTS), "data/tables/": (_RAW,), _CUSTODY: (_CASE,)}
#: What an entry of the record that is left out would still be read in.
_TOLD = {_CASE: (_RESULTS, _PAGES, _PAPERS)}
#: Rules, fingerprints and lists of libraries: they name nobody, and a re-run needs them as they were.
_IMPERSONAL = ("data/reference/", "data/software/")
#: Where people put in files of any kind.
_ANY_KIND = (_CASE, _PAGES)
#: What names a language: its pages, and a catalogue of the case.
_LANGUAGE = re.compile(r"data/pages/([a-z]{2,3}(?:-[A-Za-z0-9]+)*)/|data/case/languages/([A-Za-z0-9-]+)\.po$")
_UID = re.compile(rb'"(?:measurement_)?uid":\s*"([A-Za-z0-9_.-]{8,128})"')
_ID = re.compile(rb'^id\s*=\s*["\']([^"\']{1,200})["\']', re.MULTILINE)
_TEXT = (".json", ".jsonl", ".toml", ".txt", ".html", ".svg", ".csv", ".xml", ".atom", ".md", ".css", ".js")

Change = Callable[[bytes], bytes]


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
    found = pattern([_checked(text) for text in texts])
    _check_why(why, found)
    leaves = dossier.leaves()
    gone = set(_named(leaves, paths))
    _check_salts(dossier, [*sorted(gone), *texts])
    work = _Work(dossier, [leaf.path for leaf in leaves if leaf.path], gone)
    if found:
        work.black_texts(found)
    work.hide_traces()
    if not work.instead:
        raise UsageError("nothing to withhold: no file has this text")
    digest = _rewritten(dossier, out, work.instead, [_leaf(leaf, work.instead, why) for leaf in leaves])
    left = {name for name, data in work.instead.items() if data is None}
    return Redaction(tuple(sorted(left)), tuple(sorted(work.instead.keys() - left)), digest)


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


def _check_why(why: str, found: re.Pattern[bytes] | None) -> None:
    if not why.strip():
        raise UsageError("say why something is withheld: a reader has a right to that")
    if found and found.search(why.encode()):
        raise UsageError("the reason holds the text itself, and would stand in the new file")


def _check_salts(dossier: Dossier, wanted: Iterable[str]) -> None:
    """With salts that anybody can make, a withheld text could be found by trying; raw measurements can't be guessed."""
    guessable = [name for name in wanted if not name.startswith(_RAW)]
    if head_of(dossier).salts == "public" and guessable:
        raise UsageError(
            f"{guessable[0]}: this dossier was made without a key, and so what is withheld could be found out by"
            " trying texts until the digest fits; make it anew with: kholo dossier --key"
        )


class _Work:
    """What stands instead of the files of one dossier: other bytes, or nothing (None)."""

    def __init__(self, dossier: Dossier, names: Sequence[str], gone: Collection[str]) -> None:
        self._dossier, self._names = dossier, names
        self.instead: dict[str, bytes | None] = {}
        self._leave_out([*gone, *self._twins(gone), *self._copies(gone)])
        if any(name.startswith(_CASE) for name in gone):
            self._leave_out(self._below(part for part in _TOLD[_CASE]))
            self._leave_out(self._translated())

    def _leave_out(self, names: Iterable[str]) -> None:
        self.instead |= dict.fromkeys(names)

    def _below(self, parts: Iterable[str]) -> list[str]:
        wanted = tuple(parts)
        return [name for name in self._names if name.startswith(wanted)]

    def _twins(self, gone: Collection[str]) -> list[str]:
        """Other forms of a raw item."""
        stems = {_stem(name) for name in gone if _is_item(name)}
        return [name for name in self._names if _is_item(name) and _stem(name) in stems]

    def _copies(self, gone: Collection[str]) -> Iterator[str]:
        """Files of a case that only what is left out names, such as copies of sources."""
        case = [name for name in self._below([_CASE]) if name.endswith(_TEXT)]
        left = b"".join(self._read(name) for name in case if name not in gone)
        out = b"".join(self._read(name) for name in case if name in gone)
        for name in self._below([_CASE]) if out else ():
            inside = name.removeprefix(_CASE).encode()
            if inside in out and inside not in left:
                yield name

    def _translated(self) -> list[str]:
        """What says the record in another language, or lists what things are called in it.

        A text is not found there by its words; and in a line that runs from right to left marks stand inside of names.
        """
        found = (_LANGUAGE.match(name) for name in self._names)
        codes = {one[1] or one[2] for one in found if one} - {"en"}
        ends = tuple(f".{code}." for code in codes)
        pages = tuple(f"{_PAGES}{code}/" for code in codes)
        return [
            name
            for name in self._names
            if name.startswith((*pages, _LANGUAGES, f"{_PAGES}assets/search."))
            or (name.startswith(_TOLD[_CASE]) and any(end in name for end in (*ends, "/search/")))
        ]

    def _read(self, name: str) -> bytes:
        return self._dossier.read(name, MAX_LIST)

    def _searched(self) -> list[str]:
        """The files that a person may be named in, but for those that are left out already."""
        gone = {name for name, data in self.instead.items() if data is None}
        return [name for name in self._names if name not in gone and not name.startswith(_IMPERSONAL)]

    def black_texts(self, found: re.Pattern[bytes]) -> None:
        """Black out what a pattern finds; leave out what holds it and can't be blacked out, or can't be searched."""
        odd = []
        for name in self._searched():
            if name.startswith(_ANY_KIND) and not self._is_readable(name):
                odd.append(name)
            if found.search(name.encode()):
                self._leave_out([name])
            elif name.endswith(_PACKED):
                if found.search(_unpacked(name, self._read(name))):
                    self._leave_out([name])
            else:
                self._change(name, lambda data: found.sub(BLACK, data))
        if self.instead:
            self._leave_out([*odd, *self._translated()])

    def _is_readable(self, name: str) -> bool:
        if not name.removesuffix(_PACKED).endswith(_TEXT):
            return False
        data = self._read(name)
        try:
            (_unpacked(name, data) if name.endswith(_PACKED) else data).decode()
        except UnicodeDecodeError:
            return False
        return True

    def _change(self, name: str, change: Change) -> bool:
        """Apply a change to what is there of a file; whether it made any."""
        old = self.instead.get(name) or self._read(name)
        new = change(old)
        if new == old:
            return False
        if name == bag.HEAD:
            raise UsageError("the title of the case holds the text; make the dossier anew under another title")
        self.instead[name] = new if name.endswith(_TEXT) and name != _CUSTODY else None
        return True

    def hide_traces(self) -> None:
        """Hide what tells what was left out: ids, and digests without a salt, wherever they stand."""
        tokens = Tokens()
        quoted = dict(self._ids())
        done: set[str] = set()
        self._leave_out(self._twins([name for name in self.instead if _is_item(name)]))
        self._hide_lines(tokens)
        while new := self.instead.keys() - done:
            done |= new
            self._note(tokens, new)
            self._leave_out(self._opaque())
            for name in self._searched():
                if not name.endswith(_PACKED):
                    self._change(name, lambda data: _replaced(tokens.black(data), quoted))

    def _ids(self) -> Iterator[tuple[bytes, bytes]]:
        """How other files of a case refer to an entry that is left out."""
        for name, data in self.instead.items():
            if data is None and name.startswith(_ENTRIES):
                yield Path(name).name.encode(), BLACK
                for found in _ID.findall(self._read(name)):
                    yield b'"' + found + b'"', b'"' + BLACK + b'"'

    def _note(self, tokens: Tokens, names: Collection[str]) -> None:
        for name in names:
            tokens.add_digest(self._dossier.digest(name))
            if _is_item(name):
                digest = Path(_stem(name)).name
                tokens.add_digest(digest)
                tokens.add_id(f"kholo-{digest[:32]}".encode())
                for uid in _UID.findall(_unpacked(name, self._read(name))):
                    tokens.add_id(uid)
        if any(name.startswith(_CASE) for name in names) and _FIGURES in self._names:
            tokens.add_digest(_case_digest(self._read(_FIGURES)))

    def _hide_lines(self, tokens: Tokens) -> None:
        """The lines of the index that are of raw items left out, and of files that nothing else here is from."""
        gone = {name for name, data in self.instead.items() if data is None and _is_item(name)}
        if not gone or INDEX not in self._names:
            return
        lines = [(line, _decoded(line)) for line in self._read(INDEX).splitlines()]
        held = [row for _, row in lines if row.get("file") in gone]
        for row in held:
            tokens.add_id(str(row.get("uid", "")).encode())
            tokens.add_digest(str(row.get("received", "")) or str(row.get("sha256")))
        kept = {row.get("object") for _, row in lines if row and row.get("file") not in gone}
        objects = {row.get("object") for row in held} - kept
        self._change(INDEX, lambda data: _without(data, lambda row: row.get("file") in gone))
        if _OBJECTS in self._names:
            self._change(_OBJECTS, lambda data: _without(data, lambda row: row.get("object") in objects))

    def _opaque(self) -> list[str]:
        touched = tuple(self.instead)
        parts = [part for part, made_of in _OPAQUE.items() if any(name.startswith(made_of) for name in touched)]
        return self._below(parts) if parts else []


def _is_item(name: str) -> bool:
    return name.startswith(_RAW) and name.endswith(_PACKED)


def _stem(name: str) -> str:
    return name.removesuffix(_PACKED).removesuffix(_DECODED)


def _unpacked(name: str, data: bytes) -> bytes:
    try:
        return inflated(data, MAX_LIST)
    except TooLarge:
        raise DossierError(f"{name}: is too large unpacked") from None
    except BROKEN as error:
        raise DossierError(f"{name}: can't be unpacked ({error})") from None


def _decoded(line: bytes) -> dict[str, Any]:
    """A line of JSON; nothing where it is none, as where it was blacked out before."""
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


def _without(data: bytes, is_gone: Callable[[dict[str, Any]], bool]) -> bytes:
    return b"".join(BLACK + b"\n" if is_gone(_decoded(line)) else line + b"\n" for line in data.splitlines())


def _case_digest(figures: bytes) -> str:
    """The digest of all files of the case, as pages show it: with the rest at hand, a text could be tried out on it."""
    versions = _decoded(figures).get("versions")
    return str(versions.get("case", "")) if isinstance(versions, dict) else ""


def _replaced(data: bytes, pairs: dict[bytes, bytes]) -> bytes:
    for old, new in pairs.items():
        data = data.replace(old, new)
    return data


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
