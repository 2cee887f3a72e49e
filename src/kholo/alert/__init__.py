"""What is new about incidents, told once: in feeds, by mail, to a webhook. Knows nothing of how incidents are found."""

from __future__ import annotations

from .channel import Channel, Undelivered
from .feed import Feed
from .loop import Stop, Stopped, repeat
from .mail import Mail, server
from .news import news
from .report import exit_code, line, row, rows
from .scope import Scope
from .screen import Screen
from .tell import Limits, Outcome, Teller, last_look, tell, would_tell
from .told import Message, News, NewsKind, Told, news_json
from .webhook import Webhook
from .wording import sentence

__all__ = [
    "Channel",
    "Feed",
    "Limits",
    "Mail",
    "Message",
    "News",
    "NewsKind",
    "Outcome",
    "Scope",
    "Screen",
    "Stop",
    "Stopped",
    "Teller",
    "Told",
    "Undelivered",
    "Webhook",
    "exit_code",
    "last_look",
    "line",
    "news",
    "news_json",
    "repeat",
    "row",
    "rows",
    "sentence",
    "server",
    "tell",
    "would_tell",
]
