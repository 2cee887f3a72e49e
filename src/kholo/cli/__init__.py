"""The command line: one thin module a command."""

from __future__ import annotations

import sys
from importlib.metadata import version

import click
import duckdb

from kholo.judge import load_ruleset
from kholo.model import KholoError
from kholo.model.text import clean

from .assess import assess, clocks
from .build import build
from .case import case
from .case_diff import diff as case_diff
from .case_test import law, test
from .case_wording import wording
from .custody import custody
from .demo import demo
from .diff import diff
from .dossier import dossier, verify
from .explain import explain
from .export import export
from .fetch import fetch
from .incidents import collapses, incidents, timeline, wanted_command
from .ingest import ingest
from .key import key
from .log import log_command
from .mirror import mirror
from .papers import papers, signatories
from .rates import rates
from .redact import redact
from .reference import reference
from .rejects import rejects
from .rejudge import rejudge
from .rules import rules
from .seal import sign, stamp
from .serve import serve
from .signals import signals
from .simulate import simulate
from .sources import sources
from .verdicts import verdicts
from .watch import watch

_EPILOG = """
\b
Examples:
  kholo ingest measurements/ --store store
  kholo incidents --store store
  kholo build cases/x-pakistan-2024 --store store --out site

Exit codes: 0 done; 1 done, but some input was rejected; 2 the command or the case is wrong;
3 the environment is (disk, permissions, a missing part).
"""


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        rules = load_ruleset()
        click.echo(f"kholo {version('kholo')}, ruleset {rules.digest} ({len(rules.rules)} rules)")
        context.exit()


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Say the version and the rules.",
)
def cli() -> None:
    """Make blocking checkable: what was measured, set against what was said and ordered."""


_COMMANDS = (
    fetch,
    ingest,
    verdicts,
    incidents,
    collapses,
    signals,
    wanted_command,
    timeline,
    watch,
    rates,
    explain,
    export,
    reference,
    rejects,
    sources,
    rules,
    rejudge,
    diff,
    case,
    custody,
    assess,
    clocks,
    build,
    dossier,
    sign,
    stamp,
    verify,
    redact,
    serve,
    papers,
    signatories,
    log_command,
    mirror,
    key,
    simulate,
    demo,
)
for _command in _COMMANDS:
    cli.add_command(_command)
for _command in (case_diff, test, law, wording):
    case.add_command(_command)


def main() -> None:
    """Run the command line; every error of ours is one plain message and an exit code."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        click.echo("kholo: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KholoError as error:
        click.echo(f"kholo: {error}", err=True)
        sys.exit(error.exit_code)
    except duckdb.Error as error:
        message = clean(" ".join(str(error).split()))
        click.echo(f"kholo: a file of the store can't be read or written: {message}", err=True)
        sys.exit(3)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"kholo: {where}{error.strerror or error}", err=True)
        sys.exit(3)
