"""Progress of work that is counted in steps or in bytes: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click
from tqdm import tqdm

_LOG_EVERY = 10.0


class Steps:
    """A bar over a number of steps that is known once the first is done."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(unit=f" {unit}", disable=not self._terminal, leave=False)
        self._said = time.monotonic()

    def __enter__(self) -> Steps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def tell(self, done: int, total: int) -> None:
        """So many steps of so many are done."""
        if self._terminal:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif (now := time.monotonic()) - self._said >= _LOG_EVERY:
            self._said = now
            click.echo(f"{done} of {total} {self._unit}", err=True)


class Stages:
    """Several stages one after the other, each with a bar of its own."""

    def __init__(self) -> None:
        self._name, self._steps = "", Steps("")

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *raised: object) -> None:
        self._steps.close()

    def tell(self, stage: str, done: int, total: int) -> None:
        """So many steps of so many are done in a stage."""
        if stage != self._name:
            self._steps.close()
            self._name, self._steps = stage, Steps(stage)
        self._steps.tell(done, total)


class Transfer:
    """Bytes in or out: a bar with rate and time left on a terminal, plain lines in a log."""

    def __init__(self, total: int) -> None:
        """`total` bytes, 0 where that is not known."""
        self._terminal = sys.stderr.isatty()
        self._total = total
        self._bar = tqdm(
            total=total or None, unit="B", unit_scale=True, unit_divisor=1024, disable=not self._terminal, leave=False
        )
        self._started = self._said = time.monotonic()

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def tell(self, done: int, items: int) -> None:
        """So many bytes, and items in them, are done."""
        if self._terminal:
            self._bar.set_postfix_str(f"{items} items", refresh=False)
            self._bar.update(done - self._bar.n)
        elif (now := time.monotonic()) - self._said >= _LOG_EVERY:
            self._said = now
            rate = done / max(now - self._started, 1e-9)
            left = f", {(self._total - done) / rate:.0f} s left" if self._total and rate else ""
            click.echo(f"{items} items, {done >> 20} MiB, {rate / (1 << 20):.1f} MiB/s{left}", err=True)
