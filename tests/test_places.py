"""Places: a code has a name, and the names that archives use lead back to the code."""

from __future__ import annotations

import pytest

from kholo.reference.places import _rows, place_code, place_name


def test_every_name_leads_to_its_own_code() -> None:
    assert len(_rows()) == 249
    for code, name, more in _rows():
        assert place_name(code) == name
        for other in (name, *more):
            assert place_code(other) == code, other


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United States", "US"), ("Iran", "IR"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Ivory Coast", "CI"),
        ("Côte d'Ivoire", "CI"), ("Republic of Korea", "KR"), ("Russia", "RU"), ("Saint Lucia", "LC"),
        ("St. Lucia", "LC"), ("Hashemite Kingdom of Jordan", "JO"), ("Curacao", "CW"), ("Nowhere", ""), ("", ""),
    ],
)  # fmt: skip
def test_names_as_archives_write_them(name: str, code: str) -> None:
    assert place_code(name) == code
