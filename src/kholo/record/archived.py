"""Sources, and the files inside a case folder that entries name: archived copies and lists of signatories."""

from __future__ import annotations

import csv
import io
import stat
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

from kholo.disk import file_digest
from kholo.model import Source

from .files import Files, Problems
from .read import Table
from .text import closest, fault_of_text, shown

#: Bytes of an archived copy, and names in a list.
MAX_COPY = 1 << 30
MAX_NAMES = 50_000
#: Letters that English is written in; the first of any other script tells that a quote is not English.
_LATIN = "LATIN"


class Copies:
    """The files of one case folder that entries may name."""

    def __init__(self, files: Files, problems: Problems) -> None:
        self._files, self._folder, self._problems = files, files.folder, problems

    def check(self, table: Table, name: str, digest: str | None) -> None:
        """That the archived copy is there and has the digest that the entry says."""
        if not self._is_file(table, "archived", name):
            return
        if digest is None:
            if not table.has("sha256"):
                table.problem("sha256", "is needed for an archived copy: 64 digits of 0-9a-f (sha256sum FILE)")
            return
        path = self._folder / name
        if path.stat().st_size > MAX_COPY:
            table.problem("archived", f"is larger than {MAX_COPY >> 30} GiB; archive the page alone")
        elif (right := file_digest(path)) != digest:
            table.problem("sha256", f"does not fit: the SHA-256 of {name} is {right}; was the copy changed?")

    def names_in(self, table: Table, name: str | None) -> tuple[str, ...]:
        """The column `name` of a list of signatories, each name once; problems stand at their line of the list."""
        if name is None or not self._is_file(table, "signatories_file", name):
            return ()
        text = self._files.text(name, self._problems)
        if text is None:
            return ()
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            return self._column(name, reader)
        except csv.Error as error:
            self._problems.note(name, f"is no CSV: {error}; is a quote not closed?", "name", reader.line_num)
            return ()

    def _column(self, file: str, reader: Any) -> tuple[str, ...]:
        head: list[str] = next(reader, [])
        if "name" not in head:
            like = closest("name", head)
            hint = f"is {shown(like)} meant? " if like else ""
            self._problems.note(file, f"has no column name; {hint}the first line names the columns", "name", 1)
            return ()
        place, names = head.index("name"), dict[str, None]()
        for row in reader:
            value = row[place].strip() if place < len(row) else ""
            if not any(row):
                continue
            if fault := fault_of_text(value, is_line=True):
                self._problems.note(file, fault, "name", reader.line_num)
            names[unicodedata.normalize("NFC", value)] = None
            if len(names) > MAX_NAMES:
                self._problems.note(file, f"has more than {MAX_NAMES} names", "name", reader.line_num)
                break
        return tuple(names)

    def _is_file(self, table: Table, key: str, name: str) -> bool:
        """Whether it is a plain file inside the folder, reached without a link."""
        path = self._folder
        try:
            for part in name.split("/"):
                path /= part
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    table.problem(key, f"{shown(name)} must be a file inside the case folder, not a link")
                    return False
        except (OSError, ValueError):
            there = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
            like = closest(path.name, there)
            hint = f"; did you mean {str(Path(name).with_name(like))!r}?" if like else ", or its name is another"
            table.problem(key, f"there is no file {shown(name)} inside the case folder{hint}")
            return False
        if not stat.S_ISREG(mode):
            table.problem(key, f"{shown(name)} must be a file inside the case folder, not a folder or a device")
            return False
        return True


def source_of(table: Table, copies: Copies) -> Source:
    """One source of an entry."""
    found = table.values
    archived, digest = found.get("archived"), found.get("sha256")
    if archived:
        copies.check(table, archived, digest)
    elif digest and not table.has("archived"):
        table.problem("sha256", "belongs to an archived copy; name it in archived")
    _check_language(table, found)
    published, read = found.get("date"), found.get("read")
    if published and read and read < published:
        table.problem("read", f"is {read}, before the source was published ({published})")
    return Source(
        address=found.get("address", ""),
        publisher=found.get("publisher", ""),
        read=read or date.min,
        date=published,
        language=found.get("language", "en"),
        quote=found.get("quote"),
        archived=archived,
        sha256=digest,
        translation=found.get("translation"),
        title=found.get("title"),
    )


def _check_language(table: Table, found: dict[str, Any]) -> None:
    quote = found.get("quote", "")
    if "translation" in found and not table.has("quote"):
        table.problem("translation", "translates nothing; give the original in quote")
    if found.get("language", "en").split("-")[0] != "en":
        return
    other = next((script for char in quote if (script := _script(char)) not in ("", _LATIN)), "")
    if other and not (table.has("language") and "language" not in found):
        table.problem("quote", f"is written in {other.capitalize()} letters; say language, such as ur for Urdu")


def _script(char: str) -> str:
    """The script of a letter, by the first word of its Unicode name; "" of what is no letter."""
    return unicodedata.name(char, "").split(" ")[0] if unicodedata.category(char) == "Lo" else ""
