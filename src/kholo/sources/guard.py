"""What decoding raises becomes a reject: of a whole item, or of one part of an answer that has many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from kholo.model import Signal

from .envelope import Refused
from .items import Item
from .source import Given

#: Statements about lines that one item may make: a week by the minute. More of them are rejected, for they are many
#: times larger in memory than the bytes they were read from.
MAX_SIGNALS = 12_000


def guarded(item: Item, given: Iterable[Given]) -> Iterator[Given]:
    """What decoding gives, as far as it comes; then the reject that names why it comes no further."""
    try:
        yield from given
    except Refused as error:
        yield item.reject(error.reason, error.detail)
    except msgspec.ValidationError as error:
        yield item.reject("wrong_type", str(error))
    except msgspec.DecodeError as error:
        yield item.reject("not_json", str(error))
    except RecursionError:
        yield item.reject("too_deep", "nested deeper than any measurement is")
    except UnicodeError:
        yield item.reject("not_utf8", "the text is not UTF-8")


def parts(
    item: Item, what: str, rows: Iterable[msgspec.Raw], decode: Callable[[Item], Iterator[Given]]
) -> Iterator[Given]:
    """The parts of an answer, each an item by itself: one that is wrong does not cost the others."""
    signals = 0
    for number, row in enumerate(rows, 1):
        part = Item(f"{item.file}#{what}", number, bytes(row))
        for one in guarded(part, decode(part)):
            signals += isinstance(one, Signal)
            if signals > MAX_SIGNALS:
                raise Refused("too_large", f"more than {MAX_SIGNALS} statements in one answer; ask for less time")
            yield one
