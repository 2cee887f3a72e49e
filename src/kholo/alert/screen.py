"""The screen: told there where no other channel is asked for, and once like anywhere else."""

from __future__ import annotations

from collections.abc import Callable

from .told import Message, News, Past


class Screen:
    """Hands each news to `say`."""

    name = "screen"
    key = "screen"
    has_log = False

    def __init__(self, say: Callable[[News], None]) -> None:
        self._say = say

    def refresh(self, past: Past) -> None:
        """Nothing to do."""

    def send(self, message: Message, past: Past) -> None:  # noqa: ARG002
        """Say every news of the message."""
        for news in message.news:
            self._say(news)
