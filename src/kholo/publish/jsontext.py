"""JSON that no reader can take for a page, and that nothing in it can end early."""

from __future__ import annotations

import json
from typing import Any

from .safe import visible


def json_text(content: Any) -> str:
    """ASCII only, with `<`, `>` and `&` escaped; characters of texts that can't be seen are written out."""
    text = json.dumps(_seen(content), ensure_ascii=True, indent=1)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def json_bytes(content: Any) -> bytes:
    """The same as a file."""
    return json_text(content).encode("ascii") + b"\n"


def _seen(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _seen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_seen(item) for item in value]
    return value
