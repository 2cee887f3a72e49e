"""What a store follows: fetches that are made again and again, each from where it was left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from kholo.disk import write_if_changed
from kholo.model import StoreError
from kholo.store import Store

#: Archives publish an hour late, and sometimes a day: so far back is looked again. What is known is not fetched again.
LOOK_BACK = timedelta(days=2)


class Followed(msgspec.Struct, frozen=True):
    """One fetch to make again. `until`: everything before it was looked for; times are UTC."""

    source: str
    place: str
    since: datetime
    service: str = ""
    networks: tuple[str, ...] = ()
    options: Mapping[str, str] = {}
    endpoints: Mapping[str, str] = {}
    until: datetime | None = None

    @property
    def begin(self) -> datetime:
        """From when on there may be something new."""
        return self.since if self.until is None else max(self.since, self.until - LOOK_BACK)

    def is_same(self, other: Followed) -> bool:
        """Whether the other follows the same, however far it came."""
        start = max(self.since, other.since)
        return msgspec.structs.replace(self, until=None, since=start) == msgspec.structs.replace(
            other, until=None, since=start
        )


def followed(store: Store) -> list[Followed]:
    """All that the store follows. Raises `StoreError` where its file can't be read."""
    path = store.root / "follow.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Followed]) if path.exists() else []
    except (OSError, msgspec.DecodeError, UnicodeError) as error:
        raise StoreError(f"{path}: can't be read ({error}); remove it and follow anew") from error


def keep(store: Store, one: Followed) -> None:
    """Follow, or note how far it came. The earliest beginning stands."""
    others = [other for other in followed(store) if not other.is_same(one)]
    same = [other for other in followed(store) if other.is_same(one)]
    first = min([one.since, *(other.since for other in same)])
    path = store.root / "follow.json"
    rows = sorted([*others, msgspec.structs.replace(one, since=first)], key=msgspec.json.encode)
    write_if_changed(path, msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
