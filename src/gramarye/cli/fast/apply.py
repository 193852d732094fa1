"""gramarye fast apply: photographs in one pass through a network that has learned what a painting's manner is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console, series
from gramarye.cli import painting as shared
from gramarye.cli.progress import SeriesBar
from gramarye.cli.transfer import Bits, Megapixels
from gramarye.errors import ImageError
from gramarye.settings import Settings

if TYPE_CHECKING:
    from gramarye.fast.paint import FastPainter, FastPainting
    from gramarye.result import Result

BROAD = 2048  # px: in a picture with a longer side strokes look small
KINDS = ("many", "any")  # networks of the package

Content = Annotated[str, typer.Argument(metavar="CONTENT", help="The photograph, or a folder.", show_default=False)]
Styles = Annotated[
    list[str],
    typer.Argument(
        metavar="STYLE",
        help="A painting, or the name of one that the network has learned, e.g. demo:cubist; several are mixed.",
        show_default=False,
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Where to write it: a picture, or for a folder another one.")
]
Mix = Annotated[str | None, typer.Option(help="Shares of several styles, e.g. 30,70.")]
Strength = Annotated[float, typer.Option(help="How far from the photograph (0) to the painting (1) to go.")]
Size = Annotated[int | None, typer.Option(help="Long side in pixels; by default the photograph's own.")]
StyleSize = Annotated[
    int | None,
    typer.Option(help="Long side at which a network of any style looks at the painting: more, finer strokes."),
]
Network = Annotated[
    str | None,
    typer.Option(
        metavar="many|any|FILE",
        help="Of many styles, of any style, or one that you trained; by default the one that knows the painting.",
    ),
]


@dataclass(frozen=True)
class Order:
    """How all pictures of one command are painted and written; `size` None: each photograph's own."""

    painter: FastPainter
    size: int | None
    color: str
    bits: int = 8
    max_megapixels: float = 100
    quiet: bool = False

    def prepare(self, content: str) -> FastPainting:
        """One picture, ready to be painted; raises a GramaryeError."""
        from gramarye.fast.paint import prepare

        return prepare(self.painter, content, size=self.size, color=self.color, max_megapixels=self.max_megapixels)

    def paint(self, painting: FastPainting, output: Path) -> dict[str, Any]:
        """Paint and write it; what --json tells of it."""
        if not self.quiet:
            shared.remark_on(painting.photograph)
        result = painting.result()
        result.save(output, bits=self.bits)
        return as_json(result)


@console.command
def apply(
    content: Content,
    styles: Styles,
    output: Output,
    *,
    mix: Mix = None,
    strength: Strength = 1.0,
    size: Size = None,
    color: shared.Color = None,
    style_size: StyleSize = None,
    network: Network = None,
    device: shared.Device = None,
    bits: Bits = 8,
    max_megapixels: Megapixels = 100,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint CONTENT in the manner of STYLE in one pass, in a fraction of a second.

    Example: [b]gramarye fast apply photo.jpg demo:cubist -o out.png[/b]

    Several styles are mixed: [b]gramarye fast apply photo.jpg demo:swirl painting.jpg -o out.png --mix 30,70[/b]

    All photographs of a folder; what is done already is left as it is:

    [b]gramarye fast apply photos demo:mosaic -o painted[/b]

    The picture carries its recipe: see [b]gramarye inspect[/b] and [b]gramarye replay[/b]. To go on from it by
    optimisation: [b]gramarye transfer --preset fast[/b].
    """
    asked = _checked(size, color, mix, style_size)
    many = Path(content).is_dir()
    if not many:
        content = _bundled(content)
        shared.check_output(output, [content, *styles], bits=bits)
    from gramarye import machine
    from gramarye.fast.paint import painter_for

    machine.keep_memory()
    painter = painter_for(
        styles,
        mix=asked.style.mix,
        network=network if network in KINDS or network is None else Path(network),
        device=device or "auto",
        strength=strength,
        style_size=style_size or 0,
        max_megapixels=max_megapixels,
    )
    order = Order(painter, size, asked.color, bits, max_megapixels, quiet)
    if many:
        _folder(order, content, styles, output, json=json)
    else:
        one(order, content, output, json=json)


def _checked(size: int | None, color: str | None, mix: str | None, style_size: int | None) -> Settings:
    """The options that are knobs, before anything is loaded; raises SettingsError."""
    given = {"size": size, "color": color, "style.mix": mix, "style.size": style_size}
    return Settings().with_(**{name: value for name, value in given.items() if value is not None})


def _bundled(content: str) -> str:
    """A photograph's file; demo:photograph is the bundled one."""
    from gramarye import demo

    if not content.startswith(demo.PREFIX) or Path(content).exists():
        return content
    return str(demo.path_of(content.removeprefix(demo.PREFIX)))


def one(order: Order, content: str, output: Path, *, json: bool) -> None:
    """Paint one picture, and say so."""
    painting = order.prepare(content)
    announce(order.painter, quiet=order.quiet)
    told = order.paint(painting, output)
    say_written(told, output, quiet=order.quiet)
    if json:
        console.answer({**told, "output": str(output), "interrupted": False})


def announce(painter: FastPainter, *, quiet: bool) -> None:
    """Say which network paints and on what."""
    network = painter.network
    known = f", of the styles {', '.join(network.styles)}" if network.styles else ""
    console.say(f"network   {network.name}, {'embedded' if network.embedded else network.path}{known}", quiet=quiet)
    console.say(f"device    {painter.device}, {str(painter.dtype).removeprefix('torch.')}", quiet=quiet)


def as_json(result: Result) -> dict[str, Any]:
    """What --json tells of a picture."""
    height, width = result.pixels.shape[2:]
    return {
        "network": result.recipe["network"]["name"],
        "styles": result.recipe["fast"]["styles"] or [each["name"] for each in result.recipe["styles"]],
        "size": [height, width],
        "seconds": round(result.seconds, 4),
        "peak_memory_mb": round(result.peak_memory / 1e6, 1),
        "precision": result.recipe["machine"]["precision"],
    }


def say_written(told: dict[str, Any], output: Path, *, quiet: bool) -> None:
    """Say where a picture is and how long its pass took."""
    height, width = told["size"]
    console.say(f"wrote {output} · {width}×{height} in {_in_words(told['seconds'])}", quiet=quiet)
    if max(height, width) > BROAD:
        console.say(
            "note      strokes are as many pixels wide at every size: a smaller --size has broader ones", quiet=quiet
        )


def _in_words(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else console.seconds_in_words(seconds)


# ---- a folder ------------------------------------------------------------------------------------------


@dataclass
class Course:
    """How a folder went: what --json tells of each picture, in their order."""

    found: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False

    def count(self, key: str) -> int:
        """How many of the pictures have this told of them."""
        return sum(key in each for each in self.found)


def _folder(order: Order, content: str, styles: Sequence[str], folder: Path, *, json: bool) -> None:
    """Paint every photograph of a folder into another one, but what is there already."""
    from gramarye import batch

    if folder.is_dir() and folder.samefile(content):
        raise ImageError("painted pictures need a folder of their own", str(folder), "choose another one with -o")
    photographs = batch.pictures_in([content])
    outputs = [folder / f"{name}.png" for name in batch.names(photographs)]
    series.make_folder(folder)
    series.check_outputs(outputs, [*photographs, *styles], bits=order.bits)
    announce(order.painter, quiet=order.quiet)
    course = Course()
    with console.hear_interrupt(quiet=order.quiet) as stop, SeriesBar(len(outputs), quiet=order.quiet) as bar:
        for photograph, output in zip(photographs, outputs, strict=True):
            if stop.requested:
                course.interrupted = True
                break
            bar.begin(output.stem, 1)
            course.found.append({"content": photograph, "output": str(output)})
            error = console.tried(partial(_next, order, photograph, output, course))
            course.found[-1] |= {"error": error} if error else {}
    _tell(order, course, folder, json=json)


def _next(order: Order, photograph: str, output: Path, course: Course) -> None:
    painting = order.prepare(photograph)
    course.found[-1] |= {"skipped": True} if painting.is_done(output) else order.paint(painting, output)


def _tell(order: Order, course: Course, folder: Path, *, json: bool) -> None:
    for each in course.found:
        if "error" in each:
            console.say(f"error: {Path(each['output']).name}: {each['error']}")
    seconds = sum(each.get("seconds", 0.0) for each in course.found)
    counts = {"painted": course.count("seconds"), "skipped": course.count("skipped"), "failed": course.count("error")}
    told = ", ".join(f"{number} {what}" for what, number in counts.items()).replace("skipped", "already there")
    console.say(f"{told} · {folder} · painted in {_in_words(seconds)}", quiet=order.quiet)
    if json:
        shown = {"results": course.found, **counts, "seconds": round(seconds, 4), "output": str(folder)}
        console.answer({**shown, "interrupted": course.interrupted})
    if course.interrupted:
        raise typer.Exit(console.INTERRUPTED)
    if counts["failed"]:
        raise typer.Exit(1)
