"""`kholo` as it is run: in this process where only what it says and does is looked at, or in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.cli import main

COMMAND = [sys.executable, "-c", "from kholo.cli import main; main()"]
Done = subprocess.CompletedProcess[bytes]


def process(*arguments: str | Path, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Done:
    """A command in a process of its own, with a seed of hashes of its own; starting one takes half a second."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **(env or {})})


def kholo(*arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Done:
    """A command in this process, from its words to its exit code."""
    command = ["kholo", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", command)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as done:
            main()
    code = done.value.code
    assert code is None or isinstance(code, int)
    return subprocess.CompletedProcess(command, code or 0, *(one.buffer.getvalue() for one in (out, err)))


def json_lines(*arguments: str | Path, env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """What a command says with `--json`; it must succeed."""
    done = kholo(*arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]
