"""gramarye video: a film in the manner of a painting, frame after frame, without flicker and to go on with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramarye.cli import console, filming
from gramarye.cli import painting as shared
from gramarye.cli.filming import Asked, Brush
from gramarye.cli.progress import FilmBar
from gramarye.errors import SettingsError

if TYPE_CHECKING:
    from gramarye.video.segments import Filming, Order

PREVIEW_FRAMES, PREVIEW_SIZE, PREVIEW_CELLS = 24, 256, 8  # at most; long side in pixels

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
    restart: Restart = False,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint a film in the manner of STYLE, each frame following from those before it.

    Example: [b]gramarye video walk.mp4 painting.jpg -o painted.mp4[/b]

    Ctrl-C, crashes and kills lose nothing: painted frames are kept in OUT.work, and the same command goes on from
    them. To look first how it will be:

    [b]gramarye video walk.mp4 painting.jpg -o painted.mp4 --preview[/b]
    """
    asked = Asked(painter, styles, mix, strength, network, device, preset, knobs)
    asked.check()
    reach = filming.range_from(look_back, painter)
    from gramarye import machine
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
    machine.keep_memory()
    brush = filming.brush(asked, max(order.shape))
    _Run(order, brush, explain, restart=restart or preview, preview=preview, json=json, quiet=quiet).carry_out()


def _preview(order: Order) -> Order:
    """The first second, small, as a film of another name."""
    from dataclasses import replace

    count = max(1, min(PREVIEW_FRAMES, round(order.film.rate)))
    last = order.first + count - 1 if order.last is None else min(order.last, order.first + count - 1)
    output = order.output.with_name(f"{order.output.stem}-preview{order.output.suffix}")
    return replace(order, output=output, last=last, size=min(max(order.shape), PREVIEW_SIZE))


def _sheet_of(output: Path) -> Path:
    return output.with_name(f"{output.stem}.png")


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


@dataclass
class _Run:
    """One run of the command, from the first frame that is missing on."""

    order: Order
    brush: Brush
    explain: Path | None
    restart: bool
    preview: bool
    json: bool
    quiet: bool
    seconds: float = 0.0  # of painting

    def carry_out(self) -> None:
        """Paint, write, tell; ends with status 130 when Ctrl-C cut it short."""
        from gramarye.video.segments import Filming

        with Filming(self.order, self.brush.painter, self.brush.identity, restart=self.restart) as film:
            self._announce(film)
            interrupted = True
            with suppress(KeyboardInterrupt):  # the second one
                interrupted = self._paint(film) or self._write(film)
            self._tell(film, interrupted=interrupted)
        raise typer.Exit(console.INTERRUPTED if interrupted else 0)

    def _announce(self, film: Filming) -> None:
        order = self.order
        height, width = order.film.size
        rate, sound = float(order.film.rate), ", with sound" if order.film.sound else ""
        lasts = console.seconds_in_words(order.film.seconds)
        console.say(f"film      {width}×{height}, {rate:.4g} frames a second, {lasts}{sound}", quiet=self.quiet)
        for note in order.film.notes:
            console.say(f"note      {note}", quiet=self.quiet)
        console.say(f"painter   {self.brush.name}", quiet=self.quiet)
        height, width = order.shape
        count = "all" if order.count is None else order.count
        back = ", ".join(map(str, order.range))
        console.say(f"frames    {count}, {width}×{height}, each looking back {back}", quiet=self.quiet)
        if film.resumed:
            console.say(f"resumed   {film.resumed} are there already, in {film.kept.folder}", quiet=self.quiet)

    def _paint(self, film: Filming) -> bool:
        """Paint what is missing with a progress bar; whether Ctrl-C cut it short."""
        began = time.perf_counter()
        with console.hear_interrupt(quiet=self.quiet) as stop:
            bar = FilmBar("painting", self.order.count, film.resumed)
            with nullcontext() if self.quiet else bar, closing(film.paint()) as painting:
                for _ in painting:
                    self.seconds = time.perf_counter() - began
                    if not self.quiet:
                        bar.show()
                    if stop.requested:
                        return True
        return False

    def _write(self, film: Filming) -> bool:
        """Write the film; whether Ctrl-C cut it short, after which there is none."""
        with console.hear_interrupt(quiet=self.quiet) as stop:
            if self.preview:
                self._write_sheet(film)
            if self.explain:
                self._write_report(film, self.explain)
            with closing(film.write()) as writing:
                for _ in writing:
                    if stop.requested:
                        return True
        return False

    def _write_sheet(self, film: Filming) -> None:
        """Some frames of the preview, evenly chosen, on a contact sheet."""
        from gramarye.report.sheet import Cell, contact_sheet

        count = len(film.kept)
        places = sorted({round(at * (count - 1) / max(1, PREVIEW_CELLS - 1)) for at in range(PREVIEW_CELLS)})
        first = self.order.first
        cells = [Cell(f"frame {first + place}", film.kept.pixels(place)) for place in places if place < count]
        if cells:
            contact_sheet(cells, _sheet_of(self.order.output), columns=4)

    def _write_report(self, film: Filming, directory: Path) -> None:
        """How steady the film is, as a page."""
        from gramarye.report import video as report
        from gramarye.video.account import account

        report.write(account(film, self.brush.name), directory)

    def _tell(self, film: Filming, *, interrupted: bool) -> None:
        count, painted = len(film.kept), len(film.kept) - film.resumed
        fps = painted / self.seconds if self.seconds else 0.0
        if interrupted:
            whole = f" of {self.order.count}" if self.order.count else ""
            told = f"interrupted, kept {count}{whole} frames in {film.kept.folder}; the same command goes on from there"
        else:
            took = f"{painted} frames in {console.seconds_in_words(self.seconds)}, {fps:.3g} a second"
            told = f"wrote {self.order.output} · {took}{_steadiness(film)}"
        console.say(told, quiet=self.quiet)
        for note in film.notes:
            console.say(f"note      {note}", quiet=self.quiet)
        if self.preview and not interrupted:
            console.say(f"wrote {_sheet_of(self.order.output)}", quiet=self.quiet)
        if self.explain and not interrupted:
            console.say(f"wrote {self._page()}", quiet=self.quiet)
        if self.json:
            console.answer(self._plain(film, fps, interrupted=interrupted))

    def _page(self) -> str | None:
        from gramarye.report import folder

        return str(self.explain / folder.PAGE) if self.explain else None

    def _plain(self, film: Filming, fps: float, *, interrupted: bool) -> dict[str, Any]:
        """What --json prints."""
        flicker, done = film.flicker, not interrupted
        return {
            "painter": self.brush.identity["painter"],
            "output": str(self.order.output) if done else None,
            "sheet": str(_sheet_of(self.order.output)) if self.preview and done else None,
            "report": self._page() if done else None,
            "frames": len(film.kept),
            "size": list(self.order.shape),
            "rate": float(self.order.film.rate),
            "seconds": round(self.seconds, 3),
            "fps": round(fps, 4),
            "warp_error": flicker.warp_error,
            "source_warp_error": flicker.source_warp_error,
            "seen": flicker.seen,
            "cuts": flicker.cuts,
            "resumed": film.resumed,
            "interrupted": interrupted,
            "kept": None if done else str(film.kept.folder),
        }


def _steadiness(film: Filming) -> str:
    """The warp error beside the film's own, as people read it."""
    flicker = film.flicker
    if flicker.warp_error is None or flicker.source_warp_error is None:
        return ""
    return f" · warp error {flicker.warp_error:.2g}, the film's own {flicker.source_warp_error:.2g}"
