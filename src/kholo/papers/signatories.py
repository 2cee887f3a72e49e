"""Who put their name to a statement: read from a CSV, each signature checked, addresses never shown or exported."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from kholo import disk
from kholo.model import CaseError, EnvironmentFault, Problem, UsageError
from kholo.record.text import fault_of_text

from .keys import key_name, verify

MAX_FILE, MAX_ROWS, MAX_CELL = 20 << 20, 50_000, 20_000
COLUMNS = ("name", "organisation", "address", "code", "key", "signature")
MIN_SECRET, MAX_SECRET = 16, 1 << 16


class Check(StrEnum):
    """How a signature was checked. Only the first two say that somebody really signed this text."""

    KEY = "key"
    ADDRESS = "address"
    UNCHECKED = "unchecked"
    BAD = "bad"
    TWICE = "twice"


class Signatory(msgspec.Struct, frozen=True):
    """One signatory, as exported. `key` is the fingerprint of the key (`SHA256:…`), `why` what is wrong, if anything.

    There is no field for the address: what is not there can't get out.
    """

    name: str
    organisation: str
    check: Check
    why: str = ""
    key: str = ""
    line: int = 0

    @property
    def is_counted(self) -> bool:
        """Whether it stands in the list: a signature that is wrong, or there already, does not."""
        return self.check not in (Check.BAD, Check.TWICE)


def message(digest: str) -> bytes:
    """The bytes that are signed for a text of this SHA-256 (hex)."""
    return f"kholo statement sha256:{digest}\n".encode("ascii")


def address_code(secret: bytes, digest: str, address: str) -> str:
    """The code that is sent to an address; who sends it back can read what comes there. Raises `UsageError`."""
    if len(secret) < MIN_SECRET:
        raise UsageError(f"the secret must have at least {MIN_SECRET} bytes: head -c 32 /dev/urandom > secret")
    text = f"{digest}\n{_folded(address)}".encode()
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:20]


def read(path: Path, digest: str, secret: bytes | None) -> tuple[Signatory, ...]:
    """The signatories of a CSV, in its order, checked against a digest. Raises `CaseError` with every wrong line."""
    seen: set[str] = set()
    out = []
    for line, row in rows(path):
        found = _checked(line, row, digest, secret)
        marks = {f"key {found.key}" if found.key else "", f"at {_folded(row['address'])}" if row["address"] else ""}
        marks |= {f"name {found.name.casefold()}\n{found.organisation.casefold()}"}
        marks -= {""}
        if found.is_counted and marks & seen:
            found = msgspec.structs.replace(found, check=Check.TWICE, why="the same key, address or name signed above")
        elif found.is_counted:
            seen |= marks
        out.append(found)
    return tuple(out)


def codes(path: Path, digest: str, secret: bytes) -> list[tuple[str, str]]:
    """Addresses with the code to send to each: for the campaign's mail alone, never for a paper."""
    return [(row["address"], address_code(secret, digest, row["address"])) for _, row in rows(path) if row["address"]]


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a list with their line (of their end, from 2). Raises `CaseError`, `EnvironmentFault`."""
    problems: list[Problem] = []
    good = []
    try:
        text = disk.read(path, MAX_FILE).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        problems += _head(path, reader.fieldnames or [])
        for row in reader if not problems else ():
            cells = {name: unicodedata.normalize("NFC", (row.get(name) or "").strip()) for name in COLUMNS}
            faults = list(_faults(path, reader.line_num, cells, row))
            problems += faults
            if not faults:
                good.append((reader.line_num, cells))
            if len(good) > MAX_ROWS:
                raise CaseError([Problem(path.name, reader.line_num, "", f"has more than {MAX_ROWS} rows")])
    except disk.TooLarge as error:
        raise CaseError([Problem(path.name, 0, "", f"is larger than {MAX_FILE >> 20} MiB")]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(path.name, 0, "", f"is no CSV in UTF-8: {error}"))
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror}") from error
    if problems:
        raise CaseError(problems)
    yield from good


def _head(path: Path, names: Iterable[str]) -> list[Problem]:
    found = list(names)
    if "name" not in found:
        return [Problem(path.name, 1, "name", "has no column name; the first line names the columns")]
    unknown = [name for name in found if name not in COLUMNS]
    return [
        Problem(path.name, 1, ascii(name)[:60], f"is no column; there are: {', '.join(COLUMNS)}") for name in unknown
    ]


def _faults(path: Path, line: int, cells: Mapping[str, str], row: Mapping[str | None, object]) -> Iterator[Problem]:
    if None in row:
        yield Problem(path.name, line, "", "has more cells than the first line names columns")
    for name, value in cells.items():
        if len(value) > (MAX_CELL if name == "signature" else 500):
            yield Problem(path.name, line, name, "is too long")
        elif name == "name" or (name == "organisation" and value):
            fault = fault_of_text(value, is_line=True)
            yield from [Problem(path.name, line, name, fault)] if fault else []


def _checked(line: int, row: Mapping[str, str], digest: str, secret: bytes | None) -> Signatory:
    check, why, key = Check.UNCHECKED, "", ""
    if row["signature"] or row["key"]:
        why = verify(row["key"], row["signature"], message(digest))
        check = Check.BAD if why else Check.KEY
        key = "" if why else key_name(row["key"])
    elif row["code"]:
        if secret is None:
            why = "a code, and no secret to check it with"
        elif not row["address"]:
            check, why = Check.BAD, "a code without the address that it was sent to"
        elif hmac.compare_digest(address_code(secret, digest, row["address"]).encode(), row["code"].lower().encode()):
            check = Check.ADDRESS
        else:
            check, why = Check.BAD, "the code is not the one that was sent to this address for this text"
    return Signatory(row["name"], row["organisation"], check, why, key, line)


def _folded(address: str) -> str:
    return unicodedata.normalize("NFC", address.strip()).casefold()
