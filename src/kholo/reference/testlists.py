"""The Citizen Lab's test lists: which addresses are tested, where, and of what category. For display; nothing is judged
by them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import urlsplit

import msgspec

from kholo.model import ReferenceDataError

_COLUMNS = ("url", "category_code", "category_description", "date_added")
#: `global.csv`, a list of a country (`pk.csv`) or of several (`cis.csv`).
_LIST = re.compile(r"global|[a-z]{2,3}", re.ASCII)


class Listed(msgspec.Struct, frozen=True, order=True):
    """One address on one list: `global`, or a country's code. `added` is as the list says it, mostly 2014-04-15."""

    test_list: str
    category: str
    description: str
    added: str

    def __str__(self) -> str:
        whose = "global test list" if self.test_list == "global" else f"test list of {self.test_list.upper()}"
        return f"on the {whose}, category {self.category} ({self.description})"


class TestLists:
    """Looks addresses up. Schemes make no difference, nor do capitals in a host."""

    __test__ = False

    def __init__(self, rows: Iterable[tuple[str, Listed]]) -> None:
        found: dict[str, set[Listed]] = {}
        for address, listed in rows:
            found.setdefault(_key(address), set()).add(listed)
        self._by_address = {key: tuple(sorted(listed)) for key, listed in found.items()}

    def of(self, address: str) -> tuple[Listed, ...]:
        """On which lists an address stands, sorted."""
        return self._by_address.get(_key(address), ())

    def counts(self) -> dict[str, dict[str, int]]:
        """How many addresses of each category each list has."""
        counts: dict[str, dict[str, int]] = {}
        for listed in sorted(one for many in self._by_address.values() for one in many):
            categories = counts.setdefault(listed.test_list, {})
            categories[listed.category] = categories.get(listed.category, 0) + 1
        return counts


NO_TEST_LISTS = TestLists(())


def is_list(name: str) -> bool:
    """Whether a file of this name is a list, and no legend or proposal."""
    path = PurePath(name)
    return path.suffix == ".csv" and bool(_LIST.fullmatch(path.stem.lower()))


def read_test_lists(files: Iterable[tuple[str, bytes]]) -> TestLists:
    """Lists from files: where they are, and their bytes. Raises `ReferenceDataError` naming the file and the line."""
    return TestLists(row for where, data in files for row in _rows(where, data))


def _rows(where: str, data: bytes) -> list[tuple[str, Listed]]:
    if not is_list(where):
        raise ReferenceDataError(f"{where}: a test list is named global.csv, or pk.csv for a country")
    name = PurePath(where).stem.lower()
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ReferenceDataError(f"{where}:1: the column {missing[0]!r} is missing; needed: {', '.join(_COLUMNS)}")
        rows = []
        for row in reader:
            address, category, description, added = (row[column] for column in _COLUMNS)
            if not address or not category:
                raise ReferenceDataError(f"{where}:{reader.line_num}: needs `url` and `category_code`")
            rows.append((address, Listed(name, category, description or "", added or "")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReferenceDataError(f"{where}: not a CSV file in UTF-8: {error}") from error
    return rows


def _key(address: str) -> str:
    try:
        parts = urlsplit(address.strip())
        return f"{parts.netloc.lower()}{parts.path or '/'}?{parts.query}"
    except ValueError:
        return address.strip()
