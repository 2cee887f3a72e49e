"""To which network, and to which country, an address belonged on a day.

Tables of five forms are read, unpacked or gzip, told by their first line (`docs/reference.md`):

- ip-location-db's CSV of networks: `start,end,number,name`, and of countries: `start,end,country`;
- iptoasn.com's TSV: `start end number country name`, and of countries alone: `start end country`;
- CAIDA's pfx2as: `prefix length number`, where `1_2` and `1,2` are several networks, and so none.

They may overlap: of several ranges around an address the smallest counts (`ranges.flatten`).
"""

from __future__ import annotations

import csv
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from kholo.model import ReferenceDataError

from .ranges import Range, Ranges, from_file, to_bytes

UNKNOWN = ("AS0", "")
_MAX_NUMBER = (1 << 32) - 1
_NUMBERS = re.compile(r"[0-9]{1,10}(?:[_,][0-9]{1,10})*", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
#: What stands where no country is known. ZZ is for whoever assigns it.
_NO_COUNTRY = frozenset({"", "None", "ZZ"})


class Networks:
    """Networks and countries by address."""

    def __init__(self, networks: Ranges, countries: Ranges) -> None:
        self.networks, self.countries = networks, countries
        self.line_of = lru_cache(maxsize=65_536)(self._line_of)

    def _line_of(self, address: str) -> tuple[str, str]:
        """The network ("AS0": unknown) and the country ("": unknown) of an address; both unknown for other text."""
        found = _parsed(address)
        if found is None:
            return UNKNOWN
        return f"AS{self.networks.number(found)}", _letters(self.countries.number(found))

    def number(self, address: str) -> int:
        """The network's number; 0 where it is not known."""
        return int(self.line_of(address)[0][2:])


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (found.version == 6 and found.ipv4_mapped) or found


def _letters(code: int) -> str:
    return code.to_bytes(2).decode() if code else ""


NO_NETWORKS = Networks(Ranges.packed((), ()), Ranges.packed((), ()))

#: A line's range, its network's number and its country; None: the file says nothing of it.
_Line = tuple[int, int, bool, int | None, int | None]
_Cells = list[str]


def prepared(path: Path, files: Callable[[], Iterable[tuple[str, bytes]]], made_from: bytes) -> Networks:
    """The tables in the file at `path`; made anew from `files` (names and bytes) where that is not what it should be.

    `made_from` tells what the files are. Raises `ReferenceDataError` naming the file and the line.
    """
    found = from_file(path, 2, made_from)
    if found is not None:
        return Networks(*found)
    return read_networks(files())


def prepare(table: Networks, made_from: bytes) -> bytes:
    """The tables as `prepared` reads them."""
    return to_bytes((table.networks, table.countries), made_from)


def read_networks(files: Iterable[tuple[str, bytes]]) -> Networks:
    """Tables from files: where they are, and their bytes, unpacked. Raises `ReferenceDataError` naming both."""
    networks: dict[bool, list[Range]] = {False: [], True: []}
    countries: dict[bool, list[Range]] = {False: [], True: []}
    for where, data in files:
        for start, end, is_v6, number, country in _lines(where, data):
            if number is not None:
                networks[is_v6].append((start, end, number))
            if country is not None:
                countries[is_v6].append((start, end, country))
    return Networks(Ranges.packed(networks[False], networks[True]), Ranges.packed(countries[False], countries[True]))


def _lines(where: str, data: bytes) -> Iterator[_Line]:
    form: tuple[int, Callable[[_Cells], _Line]] | None = None
    for number, cells in _cells(where, data):
        try:
            form = form or _form(cells)
            width, read = form
            if len(cells) != width:
                raise ValueError(f"{len(cells)} columns, where the first line has {width}")
            yield read(cells)
        except (ValueError, OSError) as error:
            raise ReferenceDataError(f"{where}:{number}: not a line of a table of networks: {error}") from error
    if form is None:
        raise ReferenceDataError(f"{where}: the table of networks is empty")


def _cells(where: str, data: bytes) -> Iterator[tuple[int, _Cells]]:
    """The columns of each line, and its number."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise ReferenceDataError(f"{where}:{number}: not text in UTF-8") from error
    for number, text in enumerate(map(_ended, lines), 1):
        if text and not text.startswith("#"):
            yield number, text.split("\t") if "\t" in text else _row(where, number, text)


def _ended(line: str) -> str:
    return line.rstrip("\r")


def _row(where: str, number: int, text: str) -> _Cells:
    """A line of CSV: no value of these tables has a line break in it."""
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise ReferenceDataError(f"{where}:{number}: not a line of CSV: {error}") from error


def _form(cells: _Cells) -> tuple[int, Callable[[_Cells], _Line]]:
    """How many columns the lines of a file have, and how to read one, told by the first. Raises `ValueError`."""
    width = len(cells)
    if width == 3 and cells[1].isdecimal():
        return 3, _of_prefix
    if width == 3:
        return 3, _of_country
    if width == 4:
        return 4, _of_network
    if width == 5:
        return 5, _of_both
    raise ValueError("start, end, number and name, or another form of docs/reference.md, is needed")


def _of_prefix(cells: _Cells) -> _Line:
    start, is_v6 = _address(cells[0])
    bits = 128 if is_v6 else 32
    if not cells[1].isdecimal() or (length := int(cells[1][:4])) > bits:
        raise ValueError(f"{cells[1]!r} is no length of a prefix")
    rest = (1 << (bits - length)) - 1
    if start & rest:
        raise ValueError(f"{cells[0]}/{cells[1]} has bits set beyond its length")
    return start, start | rest, is_v6, _number(cells[2]), None


def _of_country(cells: _Cells) -> _Line:
    return *_ends(cells), None, _code(cells[2])


def _of_network(cells: _Cells) -> _Line:
    return *_ends(cells), _number(cells[2]), None


def _of_both(cells: _Cells) -> _Line:
    return *_ends(cells), _number(cells[2]), _code(cells[3])


def _ends(cells: _Cells) -> tuple[int, int, bool]:
    start, is_v6 = _address(cells[0])
    end, is_end_v6 = _address(cells[1])
    if is_v6 != is_end_v6 or end < start:
        raise ValueError(f"{cells[0]} to {cells[1]} is no range")
    return start, end, is_v6


def _address(text: str) -> tuple[int, bool]:
    """The address as a number, and whether it is IPv6. Raises `OSError` or `ValueError` for other text."""
    is_v6 = ":" in text
    # A tenth of the time of `ipaddress`, which counts for half a million lines.
    return int.from_bytes(socket.inet_pton(socket.AF_INET6 if is_v6 else socket.AF_INET, text)), is_v6


def _number(text: str) -> int:
    if not _NUMBERS.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number of a network")
    numbers = {int(number) for number in re.split("[_,]", text)}
    if max(numbers) > _MAX_NUMBER:
        raise ValueError(f"{text[:40]!r} is no number of a network")
    return numbers.pop() if len(numbers) == 1 else 0


def _code(text: str) -> int:
    if text in _NO_COUNTRY:
        return 0
    if not _COUNTRY.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no country of ISO 3166 alpha-2")
    return int.from_bytes(text.encode())
