# SPDX-License-Identifier: Apache-2.0
"""How a verb is added to the command line: its group, its help, and the end of every fault in one exit code.

    app = group("Notices: give, change, look at.")

    @verb(app, "list")
    def list_(everything: Annotated[bool, typer.Option("--all")] = False) -> None:
        \"\"\"List the live notices.\"\"\"

A verb's body raises the faults of `wideberth.errors` and nothing else; `Root` turns them into a sentence and a code.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

from wideberth.cli import exits
from wideberth.cli.session import hoisted
from wideberth.errors import Fault

EVERYWHERE = "Every verb also takes --json, --dir FOLDER, --line LINE, --mechanism NAME and --as POST."

F = TypeVar("F", bound=Callable[..., Any])


class Root(TyperGroup):
    """The top of the command line: options of every verb may stand anywhere, and every fault ends here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoisted(args))

    def invoke(self, ctx: Any) -> Any:
        from wideberth.cli import show

        try:
            return super().invoke(ctx)
        except Fault as fault:
            show.fault(fault)
            raise typer.Exit(exits.code_of(fault)) from None
        except KeyboardInterrupt:
            raise typer.Exit(exits.STOPPED) from None
        except BrokenPipeError:
            # The reader of our output has gone (`… | head`). Nobody is left to be told.
            sys.stdout = None
            raise typer.Exit(exits.FINE) from None
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception:
            show.note("This is a bug in wideberth. Please report it with what follows.", style="bold red")
            traceback.print_exc()
            raise typer.Exit(exits.BUG) from None


def group(help_: str) -> typer.Typer:
    return typer.Typer(help=help_, no_args_is_help=True, epilog=EVERYWHERE)


def verb(app: typer.Typer, name: str) -> Callable[[F], F]:
    """Register a function as a verb."""

    def add(function: F) -> F:
        app.command(name, epilog=EVERYWHERE)(function)
        return function

    return add
