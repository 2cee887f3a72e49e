"""The data files of this room: languages and kinds of papers, one TOML each."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TypeVar

import msgspec

from kholo.model import UsageError

T = TypeVar("T")


def names(folder: str) -> list[str]:
    """The names there are files for, sorted."""
    found = resources.files(__package__).joinpath(folder).iterdir()
    return sorted(item.name.removesuffix(".toml") for item in found if item.name.endswith(".toml"))


def read(folder: str, name: str, shape: type[T]) -> T:
    """One file as its type. Raises `UsageError` for a name that there is no file for."""
    if name not in names(folder):
        raise UsageError(f"{name!a}: no papers of this kind or language; there are: {', '.join(names(folder))}")
    text = resources.files(__package__).joinpath(folder, f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), shape)
