"""The log of dossiers: what an entry is, and whether a log holds a dossier's statement and is one that grows only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

import msgspec

from kholo.model import DossierError

from . import note, tlog, tree
from .faults import LogError, Malformed, NotInLog, SplitView, WrongRoot
from .seal import CASE, Statement
from .statement import MOMENT, ROOT, SHA256, moment_text

FORM = "kholo-log/1"
#: Public keys of the log, one a line; written once. Who trusts them only because they lie there trusts the host.
KEYS = "keys.txt"
MAX_KEYS = 16_384

_DIGEST = re.compile(ROOT)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dossier. Written as one JSON object in ASCII, keys sorted, no spaces: one way of writing it.

    `root` is the one that its statement names, `statement` the SHA-256 of that statement: what makes the dossier this
    one. `dossier` is the SHA-256 of the file as it was when it was added; signatures and times that came into it later
    change that, and nothing else. `supersedes` is the index of the entry before for the same case.
    """

    as_of: str
    case: str
    dossier: str
    form: str = FORM
    root: str
    simulated: bool
    statement: str
    supersedes: int | None

    def encode(self) -> bytes:
        """The entry as it stands in the log."""
        return msgspec.json.encode(self, order="sorted")


class Log(msgspec.Struct, frozen=True):
    """A log that was read whole, and whose entries give the root that was signed. `hashes` are those of its entries."""

    opened: tlog.Opened
    entries: tuple[Entry, ...]
    hashes: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.entries)


class Later(msgspec.Struct, frozen=True):
    """An entry with its index."""

    index: int
    entry: Entry


class LogFinding(msgspec.Struct, frozen=True):
    """What a log says of a statement that it holds.

    `signed_by` are the keys of the log and of witnesses whose signatures are right, `unchecked` names under others.
    `later` are entries of the same case after this one; None: a proof alone can't tell. `seen` is the size of the older
    checkpoint from which the log goes on; None: there was none to compare.
    """

    index: int
    size: int
    origin: str
    entry: Entry
    signed_by: tuple[note.Signed, ...]
    unchecked: tuple[str, ...]
    later: tuple[Later, ...] | None
    seen: int | None


def digest(data: bytes) -> str:
    """A SHA-256 as entries write it."""
    return f"{SHA256}{sha256(data).hexdigest()}"


def entry_of(statement: bytes, dossier: str, supersedes: int | None) -> Entry:
    """The entry for a dossier's statement; `dossier` is the digest of its file. Raises `DossierError`, `Malformed`."""
    said = Statement.decode(statement)
    entry = Entry(
        as_of=moment_text(said.as_of),
        case=said.case,
        dossier=dossier,
        root=f"{SHA256}{said.root}",
        simulated=said.simulated,
        statement=digest(statement),
        supersedes=supersedes,
    )
    # What could not be read again must not come into a log, which can't lose it.
    return parse_entry(entry.encode(), "the entry for this statement")


def parse_entry(data: bytes, what: str) -> Entry:
    """An entry from its bytes, strictly. Raises `Malformed`."""
    try:
        entry = msgspec.json.decode(data, type=Entry)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Malformed(f"{what} is not in the form {FORM}") from None
    digests = (entry.dossier, entry.root, entry.statement)
    is_right = entry.form == FORM and re.fullmatch(CASE, entry.case) and _is_time(entry.as_of)
    if not is_right or not all(map(_DIGEST.fullmatch, digests)) or entry.encode() != data:
        raise Malformed(f"{what} is not in the form {FORM}")
    return entry


def _is_time(text: str) -> bool:
    try:
        return bool(re.fullmatch(MOMENT, text)) and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def own_keys(reader: tlog.Reader) -> tuple[note.Key, ...]:
    """The public keys that lie beside the log. Raises `Malformed`."""
    data = reader.read(KEYS, MAX_KEYS)
    lines = (data or b"").decode("utf-8", "replace").split("\n")
    if len(lines) < 2 or lines.pop() or lines != sorted(set(lines)):
        raise Malformed(f"{reader.where}: {KEYS} is missing or is not a sorted list of keys, a line each")
    return tuple(note.parse_key(line) for line in lines)


def read(reader: tlog.Reader, keys: Sequence[note.Key]) -> Log:
    """Read a log whole and check it: signature, root, entries. Raises `LogError`, `EnvironmentFault`."""
    opened = tlog.open_checkpoint(tlog.read_checkpoint(reader), keys)
    hashes: list[bytes] = []
    found = entries(_hashed(tlog.read_entries(reader, opened.head.size), hashes))
    if tree.root(hashes) != opened.head.root:
        raise WrongRoot(f"{reader.where}: the entries do not give the root that was signed; some were changed")
    return Log(opened, found, tuple(hashes))


def _hashed(raw: Iterable[bytes], hashes: list[bytes]) -> Iterator[bytes]:
    for data in raw:
        hashes.append(tree.leaf_hash(data))
        yield data


def entries(raw: Iterable[bytes]) -> tuple[Entry, ...]:
    """The entries of a log from its first on; each must supersede the one before it of its case. Raises `Malformed`."""
    out: list[Entry] = []
    last: dict[str, int] = {}
    for index, data in enumerate(raw):
        entry = parse_entry(data, f"entry {index}")
        if entry.supersedes != last.get(entry.case):
            raise Malformed(f"entry {index} does not supersede the entry before it of case {entry.case}")
        last[entry.case] = index
        out.append(entry)
    return tuple(out)


def goes_on(log: Log, seen: bytes, keys: Sequence[note.Key]) -> int:
    """The size of an older checkpoint of which this log is the continuation.

    Raises `SplitView` where it is none; `Malformed`, `BadSignature`, `LogError` where it is no checkpoint of this log.
    """
    old, origin = tlog.open_checkpoint(seen, keys).head, log.opened.head.origin
    if old.origin != origin:
        raise LogError("the checkpoint that was seen is of another log")
    if old.size > log.size:
        raise SplitView(f"the log had {old.size} entries when it was seen, and has {log.size} now")
    if tree.root(log.hashes[: old.size]) != old.root:
        raise SplitView(f"the first {old.size} entries are not those that were there when the log was seen")
    return old.size


def check(reader: tlog.Reader, statement: bytes, keys: Sequence[note.Key], seen: bytes | None = None) -> LogFinding:
    """What a log says of a dossier's statement: the whole log is read and checked.

    Raises `NotInLog`, `Malformed`, `BadSignature`, `WrongRoot`, `Truncated`, `WrongSize`, `SplitView`;
    `EnvironmentFault` where the log can't be read.
    """
    log = read(reader, keys)
    size_seen = None if seen is None else goes_on(log, seen, keys)
    wanted = digest(statement)
    index = next((place for place, entry in enumerate(log.entries) if entry.statement == wanted), None)
    if index is None:
        raise NotInLog(_absent(log, statement))
    entry = log.entries[index]
    later = tuple(
        Later(place, other)
        for place, other in enumerate(log.entries[index + 1 :], index + 1)
        if other.case == entry.case
    )
    return _finding(log.opened, index, entry, later, size_seen)


def _absent(log: Log, statement: bytes) -> str:
    said = f"the log of {log.opened.head.origin} has no entry for this statement"
    with suppress(DossierError):
        case = Statement.decode(statement).case
        if same := [place for place, entry in enumerate(log.entries) if entry.case == case]:
            return f"{said}, but has others of its case: {_few(same)}"
    return said


def _few(indexes: Sequence[int]) -> str:
    return ", ".join(map(str, indexes[-5:])) + (f" and {len(indexes) - 5} before" if len(indexes) > 5 else "")


def _finding(
    opened: tlog.Opened, index: int, entry: Entry, later: tuple[Later, ...] | None, seen: int | None
) -> LogFinding:
    head = opened.head
    return LogFinding(index, head.size, head.origin, entry, opened.signed, opened.others, later, seen)


def proof(reader: tlog.Reader, index: int, keys: Sequence[note.Key] | None = None) -> bytes:
    """The proof that an entry is in the log, to be kept with the dossier; without keys, those beside the log are taken.

    Only the tiles that are needed are read. Raises `ValueError` where there is no such entry, `LogError`.
    """
    return tlog.prove(reader, index, own_keys(reader) if keys is None else keys).encode()


def check_proof(data: bytes, statement: bytes, keys: Sequence[note.Key]) -> LogFinding:
    """What a proof says of a dossier's statement, without asking anybody. `later` and `seen` it can't know.

    Raises `Malformed`, `BadSignature`, `WrongRoot`, and `NotInLog` where the proof is of another dossier.
    """
    proved = tlog.parse_proof(data)
    opened = proved.check(keys)
    entry = parse_entry(proved.entry, f"entry {proved.index}")
    if entry.statement != digest(statement):
        raise NotInLog(f"the proof is of another dossier, of case {entry.case} as of {entry.as_of}")
    return _finding(opened, proved.index, entry, None, None)
