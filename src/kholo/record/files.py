"""The files of one case folder, read with care: a folder from elsewhere may hold anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from kholo.model import Problem

from .text import fault_of_text, shown

MAX_FILE = 1 << 20
MAX_ENTRIES = 10_000
MAX_PROBLEMS = 1_000
ENTRIES = "entries"


class Problems:
    """Collects what is wrong in one case, up to a number that nobody would read to its end."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    @property
    def is_full(self) -> bool:
        """Whether there are so many that looking on is of no use: it takes time to say what would be right."""
        return len(self.found) >= MAX_PROBLEMS

    def note(self, file: str, message: str, key: str = "", line: int = 0) -> None:
        """One mistake. `line` from 1; 0: the file as a whole."""
        if not self.is_full:
            self.found.append(Problem(file, line, key, message))


class Files:
    """The text files of a case. `instead`: files as they would be, by their path inside the folder."""

    def __init__(self, folder: Path, instead: Mapping[str, bytes] | None = None) -> None:
        self.folder, self._instead = folder, instead or {}

    def has(self, name: str) -> bool:
        """Whether there is anything under this name, also a link that leads nowhere."""
        return name in self._instead or os.path.lexists(self.folder / name)

    def text(self, name: str, problems: Problems) -> str | None:
        """The text of one file of the case; None, and a problem, where there is none that could be read."""
        if name in self._instead:
            return _decoded(name, self._instead[name], problems)
        path = self.folder / name
        try:
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE:
                problems.note(name, f"must be a file of at most {MAX_FILE >> 20} MiB, not a link and nothing else")
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            problems.note(name, "is missing")
            return None
        except OSError as error:
            problems.note(name, f"can't be read: {error.strerror}")
            return None
        return _decoded(name, data, problems)

    def entries(self, problems: Problems) -> list[str]:
        """The files of the record, as paths inside the folder, sorted; what else lies there is a problem."""
        room = self._room(ENTRIES, problems)
        if room is None:
            return []
        found = [name for name in self._instead if name.startswith(f"{ENTRIES}/")]
        for path in room.iterdir() if room.is_dir() else []:
            if path.name.startswith("."):
                continue
            fault = fault_of_text(path.name, is_line=True)
            if fault:
                problems.note(f"{ENTRIES}/{shown(path.name)}", f"its name {fault}")
            elif path.suffix != ".toml":
                problems.note(f"{ENTRIES}/{path.name}", "is not read: an entry is a file *.toml; rename or move it")
            elif f"{ENTRIES}/{path.name}" not in found:
                found.append(f"{ENTRIES}/{path.name}")
        if not found:
            problems.note(ENTRIES, "has no entry; write one file each, *.toml, or: kholo case add FOLDER")
        if len(found) > MAX_ENTRIES:
            problems.note(ENTRIES, f"has more than {MAX_ENTRIES} entries; split the case")
        return sorted(found)[:MAX_ENTRIES]

    def catalogues(self, room: str, problems: Problems) -> list[str]:
        """The catalogues in one folder of the case, as paths inside the folder, sorted; others there are no concern."""
        folder = self._room(room, problems)
        if folder is None:
            return []
        found = {name for name in self._instead if name.startswith(f"{room}/") and name.endswith(".po")}
        found |= {f"{room}/{path.name}" for path in folder.glob("*.po") if not path.name.startswith(".")}
        return sorted(found)

    def _room(self, name: str, problems: Problems) -> Path | None:
        """A folder of the case, which may not be there; None, and a problem, for anything else."""
        room = self.folder / name
        if room.is_symlink() or (room.exists() and not room.is_dir()):
            problems.note(name, "must be a folder, not a link and no file")
            return None
        return room


def _decoded(name: str, data: bytes, problems: Problems) -> str | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.note(name, "is UTF-16 and is not UTF-8; save it as UTF-8 (without BOM)", line=1)
    elif data.startswith(b"\xef\xbb\xbf"):
        problems.note(name, "begins with a byte order mark (U+FEFF); save it as UTF-8 without BOM", line=1)
    elif b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        problems.note(name, "holds a NUL byte; this is no text, or a damaged one", line=line)
    else:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            problems.note(name, f"is not UTF-8 (byte {error.start}); save it as UTF-8", line=line)
    return None
