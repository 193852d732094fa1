"""One run of gramarye video: the frames that are missing are painted, the film is written, and what came of it told."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gramarye.cli import console
from gramarye.cli.filming import Brush
from gramarye.cli.progress import FilmBar

if TYPE_CHECKING:
    from gramarye.video.measure import Moment
    from gramarye.video.segments import Filming, Order

PREVIEW_CELLS = 8  # frames on a preview's contact sheet, at most


@dataclass
class Run:
    """One run of the command, from the first frame that is missing on; `ray` is a cluster's address, or auto."""

    order: Order
    brush: Brush
    explain: Path | None
    ray: str | None
    threads: int | None
    restart: bool
    preview: bool
    json: bool
    quiet: bool
    seconds: float = 0.0  # of painting

    def carry_out(self) -> None:
        """Paint, write, tell; ends with status 130 when Ctrl-C cut it short."""
        from gramarye import cluster

        with cluster.connected(self.ray) if self.ray else nullcontext():
            bounds = self._bounds() if self.ray else ()
            interrupted = self._film(bounds)
        raise typer.Exit(console.INTERRUPTED if interrupted else 0)

    def _film(self, bounds: tuple[int, ...]) -> bool:
        """The film, its shots side by side if there are several `bounds`; whether Ctrl-C cut it short."""
        from gramarye.video import on_ray
        from gramarye.video.segments import Filming

        threads, shared = self.threads, len(bounds) > 2
        if shared and threads is None:  # two paintings side by side do not wait for each other, as two threads do
            threads = self._begun_with() or 1
        brush = self.brush
        with Filming(self.order, brush.painter, brush.identity, restart=self.restart, threads=threads) as film:
            self._announce(film, bounds)
            interrupted = True
            with suppress(KeyboardInterrupt):  # the second one
                painting = on_ray.paint(film, bounds, self.ray or "auto") if shared else film.paint()
                interrupted = self._paint(film, painting) or self._write(film)
            self._tell(film, interrupted=interrupted)
        return interrupted

    def _begun_with(self) -> int | None:
        from gramarye.video.manifest import threads_in

        return None if self.restart else threads_in(self.order.folder)

    def _announce(self, film: Filming, bounds: tuple[int, ...]) -> None:
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
        if len(bounds) > 2:
            told = f"{len(bounds) - 1}, on Ray, {self.ray}, threads for each: {film.threads}"
            console.say(f"shots     {told}", quiet=self.quiet)
        elif self.ray:
            console.say("note      it is one shot, which cannot be shared: one process paints it", quiet=self.quiet)
        if film.resumed:
            console.say(f"resumed   {film.resumed} are there already, in {film.kept.folder}", quiet=self.quiet)

    def _bounds(self) -> tuple[int, ...]:
        """Where shots begin, and where the last one ends."""
        from gramarye.video.segments import shots

        bar = FilmBar("looking for cuts", self.order.count)
        with nullcontext() if self.quiet else bar, closing(shots(self.order)) as looking:
            while True:
                try:
                    next(looking)
                except StopIteration as end:
                    found: tuple[int, ...] = end.value
                    return found
                if not self.quiet:
                    bar.show()

    def _paint(self, film: Filming, painting: Generator[Moment, None, None]) -> bool:
        """Paint what is missing with a progress bar; whether Ctrl-C cut it short."""
        began = time.perf_counter()
        with console.hear_interrupt(quiet=self.quiet) as stop:
            bar = FilmBar("painting", self.order.count, film.resumed)
            with nullcontext() if self.quiet else bar, closing(painting):
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
            contact_sheet(cells, sheet_of(self.order.output), columns=4)

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
            console.say(f"wrote {sheet_of(self.order.output)}", quiet=self.quiet)
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
            "sheet": str(sheet_of(self.order.output)) if self.preview and done else None,
            "report": self._page() if done else None,
            "frames": len(film.kept),
            "size": list(self.order.shape),
            "rate": float(self.order.film.rate),
            "threads": film.threads,
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


def sheet_of(output: Path) -> Path:
    """Where the contact sheet of a preview is written: beside it."""
    return output.with_name(f"{output.stem}.png")
