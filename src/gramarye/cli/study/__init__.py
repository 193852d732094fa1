"""gramarye study: plan, run, show, report, tune. One file for each; every file's commands are registered here."""

from __future__ import annotations

import typer

from gramarye.cli.study import plan, reporting, running, tuning

app = typer.Typer(help="Controlled experiments: plan, run, show, report, tune.", no_args_is_help=True)
app.command("list")(plan.list_plans)
app.command("plan")(plan.plan)
app.command("run")(running.run)
app.command("show")(running.show)
app.command("report")(reporting.report)
app.command("tune")(tuning.tune)
