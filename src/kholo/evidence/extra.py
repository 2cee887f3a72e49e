"""One sentence where a library is not installed that only some uses need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kholo.model import EnvironmentFault


@contextmanager
def needs(what: str, library: str, extra: str) -> Iterator[None]:
    """Around imports. Raises `EnvironmentFault` that says what to install."""
    try:
        yield
    except ImportError as error:
        raise EnvironmentFault(f"{what} need {library}: pip install 'kholo[{extra}]'") from error
