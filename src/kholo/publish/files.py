"""Writing files so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

from kholo.model import EnvironmentFault


def write_if_changed(path: Path, content: bytes, *, is_lasting: bool = True) -> bool:
    """Write `content` atomically; False when the file held it already and was left alone.

    What is not `is_lasting` is not waited for until it is safe on the disk: it can be made again from its sources.
    Raises `EnvironmentFault` naming the file when it can't be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return False
        try:
            with beside.open("wb") as out:
                out.write(content)
                if is_lasting:
                    out.flush()
                    os.fsync(out.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be written: {error.strerror or error}") from error
    return True
