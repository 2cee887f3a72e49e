"""What a site carries and looks like: the same options for whoever makes one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec

from kholo.alert.mail import address as mail_address
from kholo.model import EnvironmentFault, UsageError
from kholo.pipeline.attach import Extra
from kholo.publish.cards import card_maker
from kholo.publish.font import font_maker
from kholo.publish.safe import web_address

F = TypeVar("F", bound=Callable[..., Any])
_folder = click.Path(path_type=Path, file_okay=False, exists=True)
_OPTIONS = (
    click.option("--dossiers", type=_folder, help="Folder of sealed dossiers of these cases, which the site carries."),
    click.option("--log", type=_folder, help="Folder of the log of dossiers, which the site carries."),
    click.option("--sqlite", "has_database", is_flag=True, help="Also make data/kholo.sqlite: every public table."),
    click.option(
        "--contact", default="", metavar="ADDRESS",
        help="Where readers write to, for a reply or a correction: a mail address or a web page.",
    ),
    click.option("--address", default="", metavar="URL", help="Where the site stands on the web; for a sitemap."),
    click.option(
        "--key", type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Public key (.pub) of who publishes the site; every page names it.",
    ),
    click.option("--key-name", default="", help="Whose key that is, in words; else its comment."),
    click.option("--fonts", type=_folder, help="Folder with Noto Nastaliq Urdu."),
    click.option("--plain", "is_plain", is_flag=True, help="No font and no pictures for sharing: sooner done."),
)  # fmt: skip


def site_options(command: F) -> F:
    """Adds the options; the command is given them as `extra`."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        extra = Extra(**{name: given.pop(name) for name in list(given) if name in _NAMES})
        if extra.address and web_address(extra.address) is None:
            raise UsageError("--address: no plain http:// or https:// address")
        if extra.contact and web_address(extra.contact) is None:
            mail_address(extra.contact)
            if set(extra.contact) & set("?&#%/"):
                raise UsageError(f"--contact: {extra.contact!a} holds what means something else in a link")
        command(extra=extra, **given)

    for option in reversed(_OPTIONS):
        run = option(run)
    return cast(F, run)


_NAMES = frozenset(Extra.__struct_fields__)


def with_looks(extra: Extra) -> Extra:
    """The same with a font and with pictures for sharing, as far as they can be made here.

    Pages are whole without them: what is missing is said once.
    """
    if extra.is_plain:
        return extra
    made = with_font(extra)
    try:
        card_maker()
    except EnvironmentFault as fault:
        click.echo(f"without pictures for sharing: {fault}", err=True)
        return made
    return msgspec.structs.replace(made, has_cards=True)


def with_font(extra: Extra) -> Extra:
    """The same with a font for the pages in Urdu, where it can be made here; else it is said why not."""
    try:
        font_maker(extra.font_folders)
    except EnvironmentFault as fault:
        click.echo(f"without a font of its own: {fault}", err=True)
        return extra
    return msgspec.structs.replace(extra, has_font=True)
