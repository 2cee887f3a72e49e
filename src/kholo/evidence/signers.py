"""Who may sign: files of ALLOWED SIGNERS (see ssh-keygen(1)), read as `ssh-keygen -Y verify` reads them, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from kholo.model import KeyFileError

from .keys import PublicKey, load_public, read

_FIELD = re.compile(r'"(?P<quoted>[^"]*)"[ \t]+|(?P<plain>[^\s"]+)[ \t]+')
_OPTION = re.compile(r'(?P<name>[A-Za-z-]+)(?:="(?P<value>[^"]*)")?(?P<more>,|[ \t]+)')
_KEY = re.compile(r"(?:ssh-|ecdsa-|sk-)\S+[ \t]")
_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_NAMES = frozenset({"namespaces", "valid-after", "valid-before"})


class _Line(msgspec.Struct, frozen=True):
    """One line. `namespaces` empty: any."""

    principals: tuple[str, ...]
    key: PublicKey
    namespaces: tuple[str, ...]
    after: datetime | None
    before: datetime | None

    def allows(self, key: PublicKey, namespace: str, at: datetime) -> bool:
        return (
            key.blob == self.key.blob
            and (not self.namespaces or _matches(namespace, self.namespaces))
            and (self.after is None or at >= self.after)
            and (self.before is None or at <= self.before)
        )


class Signers(msgspec.Struct, frozen=True):
    """The lines of such a file."""

    lines: tuple[_Line, ...]

    @classmethod
    def load(cls, path: Path) -> Signers:
        """Raises `KeyFileError`, naming the line."""
        try:
            text = read(path).decode()
        except UnicodeDecodeError:
            raise KeyFileError(f"{path}: is no text in UTF-8") from None
        return cls(tuple(_lines(text, str(path))))

    def principals(self, key: PublicKey, namespace: str, at: datetime) -> tuple[str, ...]:
        """Under which names the key may sign for this purpose at that moment, in order of the file; none: it may not.

        A name may be a pattern such as `*@example.org`; it is given as it is written.
        """
        names = (name for line in self.lines if line.allows(key, namespace, at) for name in line.principals)
        return tuple(dict.fromkeys(names))


def allowed_line(principal: str, key: PublicKey, namespace: str) -> str:
    """A line for such a file, without a line's end."""
    return f'{principal} namespaces="{namespace}" {key.kind} {key.line.split()[1]}'


def _lines(text: str, file: str) -> Iterator[_Line]:
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip(" \t\r")
        if bare and not bare.startswith("#"):
            try:
                yield _line(bare)
            except (ValueError, KeyFileError) as error:
                raise KeyFileError(f"{file}:{number}: {error}") from None


def _line(text: str) -> _Line:
    field = _FIELD.match(text)
    if not field:
        raise ValueError("a line has to name a signer, and then the key")
    names = _list(field["quoted"] if field["plain"] is None else field["plain"])
    if any(name.startswith("!") for name in names):
        raise ValueError("a signer can't be named by who it is not (!)")
    options, rest = _options(text[field.end() :])
    return _Line(
        names,
        load_public(rest),
        _list(options["namespaces"]) if "namespaces" in options else (),
        _time(options, "valid-after"),
        _time(options, "valid-before"),
    )


def _options(text: str) -> tuple[dict[str, str], str]:
    """The options, and the key that follows."""
    found: dict[str, str] = {}
    more = not _KEY.match(text)
    while more:
        option = _OPTION.match(text)
        if not option:
            raise ValueError("its options or its key can't be read")
        name, value = option["name"].lower(), option["value"]
        if name == "cert-authority":
            raise ValueError("keys that sign for other keys (cert-authority) are not taken; name the keys themselves")
        if name not in _NAMES or value is None or name in found:
            raise ValueError(f"the option {name} is not known, has no value, or stands twice")
        found[name] = value
        text, more = text[option.end() :], option["more"] == ","
    return found, text


def _list(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not all(name and name.isprintable() for name in names):
        raise ValueError("a name in a list is empty or not printable")
    return names


def _time(options: dict[str, str], name: str) -> datetime | None:
    value = options.get(name)
    if value is None:
        return None
    digits = value.removesuffix("Z")
    if digits == value:
        raise ValueError(f'{name} has to end in Z (UTC), such as "20261231Z": another clock would give another answer')
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in _TIMES:
        raise ValueError(f"{name} is no time: YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ")
    return datetime.strptime(digits + "+0000", _TIMES[len(digits)] + "%z").astimezone(UTC)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """As OpenSSH matches a list: one that begins with ! and fits refuses."""
    fits = [pattern for pattern in patterns if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]"))]
    return bool(fits) and not any(pattern.startswith("!") for pattern in fits)
