"""The data files of this room: kinds of papers, their texts, the certificate; TOML each."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TypeVar

import msgspec

T = TypeVar("T")


def names(folder: str) -> list[str]:
    """The names there are files for in a folder, sorted."""
    found = resources.files(__package__).joinpath(folder).iterdir()
    return sorted(item.name.removesuffix(".toml") for item in found if item.name.endswith(".toml"))


def read(name: str, shape: type[T]) -> T:
    """One file as its type, by its path in this room without the ending."""
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), shape)
