"""gramarye video: a film in the manner of a painting, frame after frame, without flicker and to go on with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gramarye.cli import console, filming, shooting
from gramarye.cli import painting as shared
from gramarye.cli.filming import Asked
from gramarye.errors import SettingsError

if TYPE_CHECKING:
    from gramarye.video.segments import Order

PREVIEW_FRAMES, PREVIEW_SIZE = 24, 256  # at most; long side in pixels

Source = Annotated[
    str, typer.Argument(metavar="IN", help="The film: a video, a GIF, or a folder of frames.", show_default=False)
]
Styles = Annotated[
    list[str],
    typer.Argument(
        metavar="STYLE",
        help="The painting, or the name of a bundled one, such as demo:cubist; several are mixed, see --mix.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Where to write it: .mp4, .mov, .mkv, .webm, .gif, .webp, or a folder for frames as PNG.",
    ),
]
PainterName = Annotated[
    str,
    typer.Option(
        "--painter",
        metavar="|".join(filming.PAINTERS),
        help="fast: one pass a frame; optimise: as gramarye transfer paints, hundreds of times slower.",
    ),
]
LookBack = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="N,N,…",
        help="How many frames back a frame follows what was painted; "
        + ", ".join(f"{name} {text}" for name, text in filming.RANGES.items())
        + " unless given. More than one brings back what was hidden for a moment.",
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        min=1, help="Long side of the painted frames in pixels: the film's own, with optimise at most the preset's."
    ),
]
Scale = Annotated[float | None, typer.Option(help="The same relative to the film: 0.5 is half its size.")]
First = Annotated[int, typer.Option(min=0, metavar="N", help="The first frame to paint, counted from 0.")]
Last = Annotated[int | None, typer.Option(min=0, metavar="N", help="The last frame to paint.", show_default="the end")]
Preview = Annotated[
    bool,
    typer.Option(
        "--preview",
        help=f"Paint only the first second, {PREVIEW_FRAMES} frames at most, small: OUT-preview and a contact sheet.",
    ),
]
Sound = Annotated[bool, typer.Option("--sound/--no-sound", help="Keep the film's sound, where OUT can have one.")]
Rate = Annotated[
    float | None, typer.Option(help="Frames a second of a folder of frames, which does not tell it: 24 unless given.")
]
Strength = Annotated[float | None, typer.Option(help="From the film, 0, to the painting, 1; with optimise up to 2.")]
Network = Annotated[
    str | None,
    typer.Option(help="fast: many, any or a file from gramarye fast train; optimise: vgg19, vgg16 or vgg19-lite."),
]
PresetName = Annotated[
    str | None, typer.Option("--preset", "-p", help="optimise: named settings; see [b]gramarye presets[/b].")
]
Knobs = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KNOB=VALUE",
        help="A knob by its dotted name: temporal.blend=0.5; with optimise any, e.g. style.weight=50.",
    ),
]
Explain = Annotated[
    Path | None,
    typer.Option(
        "--explain",
        metavar="DIR",
        help="Also write a page on how steady it is: flicker beside the film's own, flow, what was hidden.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="auto|ADDRESS",
        help="Paint shots side by side on a Ray cluster: auto is one on this machine, made if need be.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Threads of each painter, which decide its last digits: as many as the film was begun with; at first "
        "all, or one with --ray.",
        show_default=False,
    ),
]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew, whatever frames are kept of an earlier run.")]


@console.command
def video(
    source: Source,
    styles: Styles,
    output: Output,
    *,
    painter: PainterName = "fast",
    mix: shared.Mix = None,
    strength: Strength = None,
    look_back: LookBack = None,
    size: Size = None,
    scale: Scale = None,
    first: First = 0,
    last: Last = None,
    preview: Preview = False,
    sound: Sound = True,
    rate: Rate = None,
    network: Network = None,
    device: shared.Device = None,
    preset: PresetName = None,
    knobs: Knobs = None,
    explain: Explain = None,
    ray: Ray = None,
    threads: Threads = None,
    restart: Restart = False,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint a film in the manner of STYLE, each frame following from those before it.

    Example: [b]gramarye video walk.mp4 painting.jpg -o painted.mp4[/b]

    Ctrl-C, crashes and kills lose nothing: painted frames are kept in OUT.work, and the same command goes on from
    them. To look first how it will be:

    [b]gramarye video walk.mp4 painting.jpg -o painted.mp4 --preview[/b]

    A film of several shots, on all processors of this machine or of a cluster:

    [b]gramarye video walk.mp4 painting.jpg -o painted.mp4 --ray auto[/b]
    """
    asked = Asked(painter, styles, mix, strength, network, device, preset, knobs)
    asked.check()
    reach = filming.range_from(look_back, painter)
    from gramarye import cluster, machine
    from gramarye.video import frames
    from gramarye.video.segments import Order

    film = frames.film(source, rate=rate)
    long_side = filming.long_side(asked, film, size, scale)
    if last is not None and last < first:
        raise SettingsError("the last frame must not come before the first", f"{first} to {last}", "swap them")
    order = Order(film, output, reach, long_side, first, last, sound)
    if preview:
        order = _preview(order)
    _check(order, source, asked)
    if explain:
        _check_report(explain, [source, *asked.files()])
    if ray:
        cluster.require()
    machine.keep_memory()
    brush = filming.brush(asked, max(order.shape))
    options = {"restart": restart or preview, "preview": preview, "json": json, "quiet": quiet}
    shooting.Run(order, brush, explain, ray, threads, **options).carry_out()


def _preview(order: Order) -> Order:
    """The first second, small, as a film of another name."""
    from dataclasses import replace

    count = max(1, min(PREVIEW_FRAMES, round(order.film.rate)))
    last = order.first + count - 1 if order.last is None else min(order.last, order.first + count - 1)
    output = order.output.with_name(f"{order.output.stem}-preview{order.output.suffix}")
    return replace(order, output=output, last=last, size=min(max(order.shape), PREVIEW_SIZE))


def _check(order: Order, source: str, asked: Asked) -> None:
    """Refuse, before any work, an output that cannot be written or that is, or lies in, what is read."""
    from gramarye.errors import ImageError
    from gramarye.video import frames

    shared.refuse_input(order.output, [source, *asked.files()])
    if order.film.kind == "folder":
        read, written = Path(source).resolve(), order.output.resolve()
        if read in written.parents:
            raise ImageError("the output must not lie among the frames", str(order.output), "choose another folder")
    if order.count == 0:
        received = f"frame {order.first} of {order.film.frames}"
        raise ImageError("the first frame must be one of the film's", received, "they are counted from 0")
    frames.check_destination(order.output)


def _check_report(directory: Path, inputs: Sequence[str | Path]) -> None:
    """Refuse a folder that a report cannot be written to."""
    from gramarye.report import folder

    folder.check(directory)
    for name in folder.NAMES:
        shared.refuse_input(directory / name, inputs)
