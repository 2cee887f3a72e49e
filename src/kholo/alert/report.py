"""What became of a run, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kholo.publish.words import count

from .tell import Outcome
from .told import News, news_json
from .wording import sentence


def row(news: News, channels: dict[str, str]) -> dict[str, Any]:
    """A news in plain values, with its sentence and what became of it on each channel."""
    return news_json(news) | {"text": sentence(news), "channels": channels}


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Each news of the run once, in the order in which it was told: `sent`, `waiting` or `unsent` by channel."""
    found: dict[str, News] = {}
    became: dict[str, dict[str, str]] = {}
    for outcome in outcomes:
        for word in ("sent", "unsent", "waiting"):
            for news in getattr(outcome, word):
                found.setdefault(news.news_id, news)
                became.setdefault(news.news_id, {})[outcome.channel] = word
    return [row(news, became[identifier]) for identifier, news in found.items()]


def line(outcome: Outcome) -> str:
    """One line on a channel: what was sent, held back, and what is wrong."""
    parts = [f"{len(outcome.sent)} sent"] if outcome.sent else []
    if outcome.waiting:
        parts.append(f"{len(outcome.waiting)} kept for the next digest")
    if outcome.failure:
        parts.append(f"failed: {outcome.failure}")
    if outcome.unsent:
        parts.append(f"{count(len(outcome.unsent), 'news', 'news')} for the next run")
    return f"{outcome.channel}: {'; '.join(parts) or 'nothing new'}"


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """3 where the store can't be used, 1 where a channel failed, else 0."""
    if any(outcome.is_ours for outcome in outcomes):
        return 3
    return 1 if any(outcome.failure for outcome in outcomes) else 0
