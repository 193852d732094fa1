"""gramarye fast: feed-forward painters. One file for each command; all are registered here."""

from __future__ import annotations

import typer

from gramarye.cli.fast import apply, export, train

app = typer.Typer(help="Paintings in one pass, by networks that have learned the objective.", no_args_is_help=True)
app.command("apply")(apply.apply)
app.command("export")(export.export)
app.command("train")(train.train)
