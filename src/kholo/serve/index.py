"""The index that is served from: where it lies, what its tables are, and which of it is in force.

    served/
      current.json                what is in force; replaced whole, so that a reader sees the old or the new
      verdicts-<set>-<day>.sqlite   one row a measurement, as it is counted; grows with the store
      facts-<digest>.sqlite       cases, incidents, days, signals: made anew when they change, never written to again
      site/                       pages, where none were given
  pictures/                   pictures for sharing, drawn once
      lock                        held by the one process that writes
      serving                     held by the one server

All of it is derived and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.disk import replaced
from kholo.model import StoreError

#: A verdict's key: the second it was measured in, then 29 bits of its id's digest. So rows lie in the order of time.
HASH_BITS = 29
_SECONDS = (1 << 34) - 1
#: Between texts of a row, and between rows. No JSON has them: it writes such characters as escapes.
FIELD, ROW = "\x1f", "\x1e"
#: Whether a row is that of a measurement, whose id as JSON is `:own_uid`.
OF_UID = "hash = :hash AND substr(own, 1, length(:own_uid) + 1) = :own_uid || char(31)"

#: Verdicts are in a group by all that one may ask for, and in a broad one (`wide`) by all but the network: of one
#: group, rows are found in the order of time without looking at others. The table lies by broad group and time, so that
#: a page of a list is read from a few places and not from as many as it has rows. Keys are unique among all verdicts.
#: `own` is what a verdict has for itself, as JSON that is ready to be sent: four texts with `FIELD` between them.
VERDICTS = """
CREATE TABLE parts (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, simulated INTEGER NOT NULL, service TEXT NOT NULL, place TEXT NOT NULL, network TEXT NOT NULL,
  state TEXT NOT NULL, vantage TEXT NOT NULL, wide INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  rows INTEGER NOT NULL, UNIQUE (simulated, service, place, network, state, vantage)
);
CREATE INDEX group_network ON groups (simulated, network);
CREATE TABLE broad (
  id INTEGER PRIMARY KEY, simulated INTEGER NOT NULL, service TEXT NOT NULL, place TEXT NOT NULL, state TEXT NOT NULL,
  vantage TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL,
  UNIQUE (simulated, service, place, state, vantage)
);
CREATE INDEX broad_place ON broad (simulated, place, service);
CREATE INDEX broad_state ON broad (simulated, state);
CREATE TABLE shapes (id INTEGER PRIMARY KEY, row TEXT NOT NULL UNIQUE);
CREATE TABLE verdicts (
  wide INTEGER NOT NULL, key INTEGER NOT NULL, hash INTEGER NOT NULL, own TEXT NOT NULL, grp INTEGER NOT NULL,
  shape INTEGER NOT NULL, grade TEXT NOT NULL, content BLOB NOT NULL, torn INTEGER NOT NULL, part INTEGER NOT NULL,
  born INTEGER NOT NULL, died INTEGER, PRIMARY KEY (wide, key)
) WITHOUT ROWID;
CREATE TABLE copies (hash INTEGER NOT NULL, uid TEXT NOT NULL, part INTEGER NOT NULL);
CREATE INDEX by_hash ON verdicts (hash);
CREATE INDEX by_group ON verdicts (grp, key, born, died);
CREATE INDEX by_key ON verdicts (key, born, died, grp);
CREATE INDEX copy_hash ON copies (hash);
"""
FACTS = """
CREATE TABLE facts (
  kind TEXT NOT NULL, key TEXT NOT NULL, simulated INTEGER NOT NULL, owner TEXT NOT NULL, service TEXT NOT NULL,
  place TEXT NOT NULL, network TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
  row BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX fact_owner ON facts (kind, owner, key);
"""
#: Tells layouts apart: a file of another one is made anew.
LAYOUT = hashlib.blake2b(f"{VERDICTS}{FACTS}".encode(), digest_size=6).hexdigest()


class Current(msgspec.Struct, frozen=True):
    """What is in force. `verdicts` and `facts` are file names; without a store there are no verdicts.

    `generation` counts the parts that verdicts are of: rows that came later are not seen yet. The digests name the
    state of each: they follow from the parts of the store, and from the rows. `changed` is when the last of it changed
    (UTC). `made_from` tells whether there is anything to do.
    """

    facts: str
    facts_digest: str
    made_from: str
    changed: datetime
    verdicts: str = ""
    verdicts_digest: str = ""
    generation: int = 0
    set_name: str = ""


class Place(msgspec.Struct, frozen=True):
    """The folder of an index."""

    folder: Path

    @property
    def pointer(self) -> Path:
        """The file that says what is in force."""
        return self.folder / "current.json"

    def current(self) -> Current | None:
        """What is in force; None where nothing is, or what is there is none of ours."""
        try:
            return msgspec.json.decode(self.pointer.read_bytes(), type=Current)
        except (OSError, msgspec.DecodeError):
            return None

    def publish(self, current: Current) -> None:
        """Put it in force, at once and whole."""
        with replaced(self.pointer, is_lasting=False) as draft:
            draft.write_bytes(msgspec.json.encode(current))

    def tidy(self, *kept: Current | None) -> None:
        """Remove the files of states that are not kept. Readers that have one open go on with it."""
        names = {name for one in kept if one for name in (one.facts, one.verdicts)}
        for path in [*self.folder.glob("verdicts-*"), *self.folder.glob("facts-*")]:
            if not any(path.name == name or path.name.startswith(f"{name}-") for name in names if name):
                path.unlink(missing_ok=True)


def opened(path: Path, *, is_new: bool = False, schema: str = "") -> sqlite3.Connection:
    """A connection to write through; a new file gets the schema. Raises `StoreError`."""
    try:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA cache_size = -262144")
        if is_new:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.executescript(schema)
        else:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: can't be used as an index: {error}; remove it, and it is made anew") from error
    return db


def hash_of(uid: str) -> int:
    """63 bits of an id's digest: nobody can choose an id for it to be like another's."""
    return int.from_bytes(hashlib.blake2b(uid.encode(), digest_size=8).digest()) >> 1


def key_of(micros: int, hashed: int = 0) -> int:
    """The key of a moment (microseconds since 1970): of its first row, or of the row whose id has this hash."""
    seconds = min(max(micros // 1_000_000, 0), _SECONDS)
    return seconds << HASH_BITS | hashed & ((1 << HASH_BITS) - 1)
