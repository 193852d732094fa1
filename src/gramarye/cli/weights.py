"""gramarye weights: where the networks' weights come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console

if TYPE_CHECKING:
    from gramarye.weights import Progress

app = typer.Typer(help="List, fetch, verify and import network weights.", no_args_is_help=True)


@app.command("list")
@console.command
def list_(*, json: console.Json = False, quiet: console.Quiet = False) -> None:
    """Show the weights on this machine and those that can be fetched.

    Example: [b]gramarye weights list[/b]
    """
    from gramarye import weights
    from gramarye.layers import CONVOLUTIONS_PER_BLOCK

    here = {network: str(path) for network in CONVOLUTIONS_PER_BLOCK if (path := weights.find(network))}
    here["vgg19-lite"] = str(weights.embedded())
    sources = [_plain(record) for record in weights.SOURCES.values()]
    if json:
        console.answer({"folder": str(weights.folder()), "here": here, "sources": sources})
        return
    for network, file in here.items():
        print(f"{network:12} {file}")
    print("to fetch, with gramarye weights fetch NAME:")
    for record in sources:
        size = f"{record['size'] / 1e6:.0f} MB" if record["size"] else "size not published"
        print(f"{record['name']:18} {size} · {record['licence']} · {record['urls'][0]}")


def _plain(record: Any) -> dict[str, Any]:
    return {
        "name": record.name,
        "network": record.network,
        "urls": list(record.urls),
        "sha256": record.sha256,
        "size": record.size,
        "licence": record.licence,
    }


@app.command()
@console.command
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A source, as `weights list` shows them.")],
    *,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Download weights, verify their SHA-256 and keep them; goes on where it was cut off.

    Example: [b]gramarye weights fetch vgg19-torchvision[/b]
    """
    from gramarye import weights

    download = weights.fetch(name)
    if console.on_terminal() and not quiet:
        _show_progress(name, download)
    else:
        _tell_progress(name, download, quiet=quiet)
    stored = weights.find(weights.source(name).network)
    console.say(f"stored {stored}", quiet=quiet)
    if json:
        console.answer({"stored": str(stored)})


def _tell_progress(name: str, download: Iterator[Progress], *, quiet: bool) -> None:
    """A line at every tenth, where nobody looks on."""
    told = 0
    for step in download:
        total = step.total_bytes or 0
        if total and 10 * step.done_bytes // total > told:
            told = 10 * step.done_bytes // total
            console.say(f"{name}  {step.done_bytes / 1e6:.1f} of {total / 1e6:.1f} MB", quiet=quiet)


def _show_progress(name: str, download: Iterator[Progress]) -> None:
    """A progress bar with remaining time."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        for step in download:
            progress.update(task, completed=step.done_bytes, total=step.total_bytes)


@app.command()
@console.command
def verify(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A file; without one, all that are here.")] = None,
    *,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Check weights against the SHA-256 that they were published or stored with.

    Example: [b]gramarye weights verify[/b]
    """
    from gramarye import weights
    from gramarye.layers import CONVOLUTIONS_PER_BLOCK

    stored = [path for network in CONVOLUTIONS_PER_BLOCK if (path := weights.find(network))]
    files = [*stored, weights.embedded()] if file is None else [file]
    good = {path: str(weights.verify(path)) for path in files}
    if json:
        console.answer({"verified": [{"file": str(path), "weights": found} for path, found in good.items()]})
        return
    for path, found in good.items():
        if not quiet:
            print(f"ok {path}: {found}")


@app.command("import")
@console.command
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pth, .npz, .safetensors or Keras .h5 file.")],
    *,
    network: Annotated[str | None, typer.Option(help="Which network it is, if that is not plain.")] = None,
    convention: Annotated[
        str | None, typer.Option(help="Its input: torchvision, oxford or oxford-rgb, if that is not plain.")
    ] = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Check a file of VGG weights and keep its convolutions. No pickled code is ever executed.

    Example: [b]gramarye weights import vgg19-dcbb9e9d.pth[/b]
    """
    from gramarye import weights

    path = weights.import_file(file, network, convention)
    console.say(f"stored {path}: {weights.read(path, path.stem)}", quiet=quiet)
    if json:
        console.answer({"stored": str(path)})
