"""To which network an address belongs: against a naive scan, in every form of table, packed and unpacked."""

from __future__ import annotations

import gzip
import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import ReferenceDataError
from kholo.reference.networks import NO_NETWORKS, Networks, prepare, prepared, read_networks
from kholo.reference.ranges import Range, Ranges
from kholo.reference.unpack import unpacked

V4 = st.integers(0, (1 << 32) - 1)
V6 = st.integers(0, (1 << 128) - 1)


def _near(numbers: st.SearchStrategy[int], most: int) -> st.SearchStrategy[int]:
    """Few places, so that ranges meet; and the ends of all addresses, and of the halves of IPv6."""
    places = st.sampled_from([0, 7, most // 2, (1 << 64) - 1, 1 << 64, most - 3, most])
    return st.one_of(
        numbers, st.builds(lambda place, step: max(0, min(most, place + step)), places, st.integers(-4, 4))
    )


def _ranges(numbers: st.SearchStrategy[int], most: int) -> st.SearchStrategy[list[Range]]:
    ends = _near(numbers, most)
    one = st.builds(lambda a, b, number: (min(a, b), max(a, b), number), ends, ends, st.integers(1, 5))
    return st.lists(one, max_size=12)


def _naive(rows: list[Range], address: int) -> int:
    """The rule, written out: the smallest range around it, of equally small ones the later; two numbers are none."""
    around = [(start, end) for start, end, _ in rows if start <= address <= end]
    if not around:
        return 0
    chosen = min(around, key=lambda ends: (ends[1] - ends[0], -ends[0]))
    numbers = {number for start, end, number in rows if (start, end) == chosen}
    return numbers.pop() if len(numbers) == 1 else 0


@given(_ranges(V4, (1 << 32) - 1), _ranges(V6, (1 << 128) - 1), st.lists(V4), st.lists(V6))
def test_the_packed_table_says_what_a_naive_scan_says(
    v4: list[Range], v6: list[Range], some: list[int], more: list[int]
) -> None:
    table = Ranges.packed(v4, v6)
    for rows, asked, kind in (
        (v4, some, ipaddress.IPv4Address),
        (v6, more, ipaddress.IPv6Address),
    ):
        most = (1 << kind(0).max_prefixlen) - 1
        edges = [edge + step for row in rows for edge in row[:2] for step in (-1, 0, 1)]
        for address in {*asked, *(edge for edge in edges if 0 <= edge <= most)}:
            assert table.number(kind(address)) == _naive(rows, address)


@given(_ranges(V4, (1 << 32) - 1), _ranges(V6, (1 << 128) - 1))
def test_the_order_of_the_rows_makes_no_difference(v4: list[Range], v6: list[Range]) -> None:
    one, other = (
        Networks(Ranges.packed(v4, v6), Ranges.packed((), ())),
        Networks(Ranges.packed(reversed(v4), reversed(v6)), Ranges.packed((), ())),
    )
    assert prepare(one, b"") == prepare(other, b"")


CSV = b'1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."\r\n2001:200::,2001:200:ffff::,2500,WIDE\r\n'
COUNTRIES = b"1.0.0.0,1.0.0.127,AU\n2001:200::,2001:200:ffff::,JP\n"
TSV = b"1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n"
PFX2AS = (
    b"1.0.0.0\t16\t1\n1.0.0.0\t24\t13335\n1.0.4.0\t24\t2_3\n1.0.5.0\t24\t2,3\n1.0.6.0\t24\t2_2\n2001:200::\t32\t2500\n"
)


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ([CSV], {"1.0.0.7": ("AS13335", ""), "1.0.1.0": ("AS0", ""), "2001:200::1": ("AS2500", "")}),
        (
            [CSV, COUNTRIES],
            {"1.0.0.7": ("AS13335", "AU"), "1.0.0.200": ("AS13335", ""), "2001:200::": ("AS2500", "JP")},
        ),
        ([TSV], {"1.0.0.255": ("AS13335", "US"), "1.0.1.9": ("AS0", "")}),
        # A prefix within another counts; one of several networks is of none, though the one around it is known.
        (
            [PFX2AS],
            {"1.0.0.1": ("AS13335", ""), "1.0.9.9": ("AS1", ""), "1.0.4.1": ("AS0", ""), "1.0.5.1": ("AS0", "")},
        ),
        ([PFX2AS], {"1.0.6.1": ("AS2", ""), "2001:200:5::": ("AS2500", ""), "::ffff:1.0.0.1": ("AS13335", "")}),
        ([PFX2AS], {"": ("AS0", ""), "x": ("AS0", ""), "1.0.0": ("AS0", ""), "[scrubbed]": ("AS0", "")}),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_each_form_of_table_is_read(
    files: list[bytes], lines: dict[str, tuple[str, str]], pack: Callable[[bytes], bytes]
) -> None:
    found = read_networks([("table", unpacked("table", pack(data))) for data in files])
    assert {address: found.line_of(address) for address in lines} == lines


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "table: the table of networks is empty"),
        (b"1.0.0.0,1.0.0.255,1,x\n1.0.1.0,1.0.0.255,1,x\n", "table:2: "),
        (b"1.0.0.0,1.0.0.255,1,x\n\n1.0.1.0,1.0.1.255,1\n", "table:3: .*3 columns"),
        (b"1.0.0.0,2001::,1,x\n", "table:1: .*no range"),
        (b"1.0.0.0,1.0.0.256,1,x\n", "table:1: "),
        (b"16777216,16777471,1,x\n", "table:1: "),
        (b"1.0.0.0,1.0.0.255,-1,x\n", "table:1: .*no number"),
        (b"1.0.0.0,1.0.0.255,4294967296,x\n", "table:1: .*no number"),
        (b"1.0.0.0,1.0.0.255,99999999999999999999,x\n", "table:1: .*no number"),
        (b"1.0.0.0\t1.0.0.255\t1\tpk\tx\n", "table:1: .*no country"),
        (b"1.0.0.0\t33\t1\n", "table:1: .*no length"),
        (b"1.0.0.1\t24\t1\n", "table:1: .*bits set"),
        (b"1.0.0.0\t24\t1_\n", "table:1: .*no number"),
        (b"1.0.0.0,1.0.0.255\n", "table:1: "),
        (b"<html>not found</html>\n", "table:1: "),
        (b'1.0.0.0,1.0.0.255,1,"x\n', "table:1: not a line of CSV"),
        (b"1.0.0.0,1.0.0.255,1,x\n1.0.1.0,1.0.1.255,1,\xff\n", "table:2: not text"),
    ],
)
def test_a_malformed_line_is_named(data: bytes, where: str) -> None:
    with pytest.raises(ReferenceDataError, match=where):
        read_networks([("table", data)])


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        read_networks([("table", unpacked("table", data))])
    except ReferenceDataError as error:
        assert str(error).startswith("table:")


def test_a_damaged_packed_file_is_named() -> None:
    with pytest.raises(ReferenceDataError, match="table: damaged"):
        unpacked("table", gzip.compress(TSV)[:-12])


def test_the_prepared_form_is_used_where_it_is_whole_and_of_these_files(tmp_path: Path) -> None:
    path, table = tmp_path / "networks.ranges", read_networks([("table", TSV)])
    path.write_bytes(prepare(table, b"these"))

    def never() -> list[tuple[str, bytes]]:
        raise AssertionError("read again")

    assert prepared(path, never, b"these").line_of("1.0.0.1") == ("AS13335", "US")
    whole = path.read_bytes()
    for harmed in (whole[:-1], whole[:-1] + b"x", b"", b"x" + whole, whole.replace(b"kholo", b"other")):
        path.write_bytes(harmed)
        assert prepared(path, lambda: [("table", CSV)], b"these").line_of("1.0.0.1") == ("AS13335", "")
    path.write_bytes(whole)
    assert prepared(path, lambda: [("table", CSV)], b"others").line_of("1.0.0.1") == ("AS13335", "")
    assert prepared(tmp_path / "none", lambda: [("table", CSV)], b"these").line_of("1.0.0.1") == ("AS13335", "")


def test_an_empty_table_knows_nothing() -> None:
    assert NO_NETWORKS.line_of("1.0.0.1") == ("AS0", "")
    assert NO_NETWORKS.networks.counts() == {"IPv4": 0, "IPv6": 0}
