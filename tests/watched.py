"""`kholo verify` on each of some files, in a process with little memory, that says of everything it wrote elsewhere.

Run as `python -m tests.watched OUT MEGABYTES FILE...`; OUT gets a line of JSON a file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from kholo.cli import main

_TOUCHING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
strange: list[str] = []
#: Asked for once: it holds a lock while it opens its first file.
scratch = os.path.realpath(tempfile.gettempdir()) + os.sep


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep what is written outside of the folder for temporary files."""
    writes = event in _TOUCHING or (event == "open" and arguments[2] is not None and arguments[2] & _WRITING)
    # What is removed by way of a folder's descriptor is removed below a folder that was opened before.
    below = event in {"os.remove", "os.rmdir"} and isinstance(arguments[-1], int) and arguments[-1] >= 0
    if not writes or below or isinstance(arguments[0], int):
        return
    path = os.path.realpath(os.fsdecode(arguments[0]))
    if not path.startswith((scratch, "/dev/", "/proc/")):
        strange.append(f"{event} {path}")


def run(path: str) -> dict[str, Any]:
    """What came of one file."""
    strange.clear()
    trace, code = "", None
    sys.argv = ["kholo", "verify", path, "--workers", "1", "--json"]
    try:
        main()
    except SystemExit as done:
        code = done.code
    except BaseException:
        trace = traceback.format_exc()
    return {"file": Path(path).stem, "code": code, "trace": trace, "wrote": list(strange)}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.modules["typst"] = None  # type: ignore[assignment]  # as where it is not installed: printing takes long
    limit = int(sys.argv[2]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    paths, out = sys.argv[3:], open(sys.argv[1], "w")  # noqa: SIM115, PTH123
    sys.addaudithook(watch)
    for one in paths:
        out.write(json.dumps(run(one)) + "\n")
        out.flush()
