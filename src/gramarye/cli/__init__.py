"""The command line: one group of commands a file, each thin over the library."""

from __future__ import annotations

import os

import typer

from gramarye.cli import console, demo, doctor, explain, fast, picture, presets, serve, study, transfer, video, weights

EPILOG = "Every command has an example in its own help: gramarye transfer --help"

# How often a thread of GNU's OpenMP looks whether there is work before it sleeps. By default so often that beside other
# programs it takes the time the others need to make that work: docs/speed.md has what it costs.
SPINS = "5000"

app = typer.Typer(
    name="gramarye",
    help="Paint a photograph in the manner of a painting, and see why every stroke is there.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(transfer.transfer)
app.command()(demo.demo)
app.command()(presets.presets)
app.command()(picture.inspect)
app.command()(picture.replay)
app.command()(picture.measure)
app.command()(explain.explain)
app.add_typer(fast.app, name="fast")
app.add_typer(study.app, name="study")
app.add_typer(weights.app, name="weights")
app.command()(video.video)
app.command()(serve.serve)
app.command()(doctor.doctor)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version and stop.")) -> None:
    if version:
        import gramarye

        typer.echo(gramarye.__version__)
        raise typer.Exit


def main() -> None:
    """The `gramarye` program."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when torch is imported, which is later
    console.open_streams()
    app(prog_name="gramarye")
