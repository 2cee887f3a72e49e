"""What runs: this version of kholo by its own bytes, and every library that it runs with."""

from __future__ import annotations

import hashlib
import platform
import re
from importlib import metadata
from pathlib import Path

import msgspec

import kholo

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Software(msgspec.Struct, frozen=True):
    """`software/software.json`: the version, and the SHA-256 (hex) over the package's own files."""

    name: str
    version: str
    source: str
    python: str


def software() -> Software:
    """What runs now."""
    return Software("kholo", kholo.__version__, source_digest(Path(kholo.__file__).parent), platform.python_version())


def source_digest(package: Path) -> str:
    """A digest over the files of a package, but for compiled ones: their paths, in order, and the SHA-256 of each."""
    lines = []
    for path in sorted(package.rglob("*"), key=lambda path: path.relative_to(package).as_posix()):
        if path.is_file() and path.suffix != ".pyc":
            name = path.relative_to(package).as_posix()
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def lock() -> str:
    """The libraries that are installed and that kholo needs, directly or through others, as pip reads them."""
    found: dict[str, str] = {}
    waiting = ["kholo"]
    while waiting:
        name = waiting.pop()
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            # An extra that is not installed, or a library for another system.
            continue
        if _plain(name) not in found:
            found[_plain(name)] = one.version
            waiting += [match[0] for need in one.requires or () if (match := _NAME.match(need)) and not _is_dev(need)]
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_dev(need: str) -> bool:
    return "extra ==" in need and re.search(r"""extra == ["'](?:dev|test|tests|docs?)["']""", need) is not None
