"""The texts that are signed, of dossiers and of mirrors: the name of the form, then a line `key: value` each.

One statement has one text: what a form would not have written is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from kholo.model import DossierError

_TIME = "%Y-%m-%dT%H:%M:%SZ"
#: Before the root of a tree (hex).
SHA256 = "sha256:"
#: What values look like, wherever they stand.
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
ROOT = rf"{SHA256}[0-9a-f]{{64}}"


class Form:
    """A form of such a text. `what` it is a statement of, `place` its file, `values` the expression of each key's."""

    def __init__(self, name: str, what: str, place: str, values: Mapping[str, str]) -> None:
        self._name, self._what, self._place, self._keys = name, what, place, tuple(values)
        lines = "".join(f"{key}: ({value})\n" for key, value in values.items())
        self._text = re.compile(f"{re.escape(name)}\n{lines}")

    def encode(self, *values: str) -> bytes:
        """The text, of a value for each key in their order."""
        lines = (f"{key}: {value}\n" for key, value in zip(self._keys, values, strict=True))
        return f"{self._name}\n{''.join(lines)}".encode()

    def decode(self, data: bytes) -> tuple[str, ...]:
        """The values. Raises `DossierError`."""
        found = self._text.fullmatch(data.decode("ascii", "replace"))
        if found is None:
            raise DossierError(f"{self._place}: is not the statement of a {self._what} of the form {self._name}")
        return found.groups()

    def moment(self, value: str) -> datetime:
        """A value as a moment in UTC. Raises `DossierError` where the calendar has none such."""
        try:
            return datetime.strptime(value, _TIME).replace(tzinfo=UTC)
        except ValueError:
            raise DossierError(f"{self._place}: {value} is no moment") from None


def moment_text(moment: datetime) -> str:
    """A moment as it is written, to the second in UTC."""
    return f"{moment.astimezone(UTC):{_TIME}}"
