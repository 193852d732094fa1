"""gramarye transfer --styles … --out-dir …: every photograph in the manner of every painting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gramarye.cli import console, series
from gramarye.cli import painting as shared

if TYPE_CHECKING:
    from gramarye.batch import Job
    from gramarye.report.sheet import Cell

StyleFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--styles",
        metavar="DIR|FILE",
        rich_help_panel=series.PANEL,
        help="Paint every CONTENT, files and folders, after every one of these paintings; may be given several times.",
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        rich_help_panel=series.PANEL,
        help="Folder for the pictures, content__style.png each, and their contact sheet.",
    ),
]


def run(
    order: shared.Order,
    contents: Sequence[str],
    styles: Sequence[str],
    folder: Path,
    every: int | None,
    restart: bool,
    *,
    json: bool,
) -> NoReturn:
    """Paint the whole matrix but what is there already, and its contact sheets."""
    from gramarye import batch, machine, weights
    from gramarye.fast import stored
    from gramarye.report import sheet

    photographs, paintings = batch.pictures_in(contents), batch.pictures_in(styles)
    jobs, contact = batch.plan(photographs, paintings, folder), folder / "contact-sheet.png"
    series.make_folder(folder)
    inputs = [*photographs, *paintings, *order.files()]
    series.check_outputs([*(job.output for job in jobs), contact], inputs, bits=order.bits)
    machine.keep_memory()
    network = weights.load(order.settings.network.name, order.weights).sha256
    waiting = batch.waiting(jobs, order.settings, network, stored.bundled_sha256())
    pieces = [series.Piece(job.output.stem, job.content, (job.style,), order.settings, job.output) for job in waiting]
    course = series.paint(order, pieces, every=every, restart=restart)
    found = dict(zip(waiting, course.found, strict=True))
    pages = sheet.contact_sheets(_cells(jobs), contact, columns=1 + len(paintings))
    course.tell()
    counts = _counts(jobs, found)
    told = ", ".join(f"{number} {what}" for what, number in counts.items()).replace("skipped", "already there")
    console.say(f"{told} · {', '.join(map(str, pages))}", quiet=order.quiet)
    if json:
        results = [_plain(job, found.get(job, {"skipped": True})) for job in jobs]
        sheets = [str(page) for page in pages]
        console.answer({"results": results, "sheets": sheets, **counts, "interrupted": course.interrupted})
    raise typer.Exit(course.status)


def _counts(jobs: Sequence[Job], found: dict[Job, dict[str, Any]]) -> dict[str, int]:
    return {
        "painted": sum("terms" in each for each in found.values()),
        "skipped": len(jobs) - len(found),
        "failed": sum("error" in each for each in found.values()),
    }


def _plain(job: Job, found: dict[str, Any]) -> dict[str, Any]:
    return {"content": job.content, "style": job.style, "output": str(job.output), **found}


def _cells(jobs: Sequence[Job]) -> Iterator[Cell]:
    """Each photograph, then it in every manner; what is missing has an empty place."""
    from gramarye.report.sheet import INSET, LONG_SIDE, Cell, thumbnail

    insets = {style: thumbnail(style, round(INSET * LONG_SIDE)) for style in {job.style for job in jobs}}
    before = ""
    for job in jobs:
        if job.content != before:
            before = job.content
            yield Cell(Path(job.content).stem, thumbnail(job.content), note="cannot be read")
        painted = thumbnail(job.output) if job.output.exists() else None
        yield Cell(Path(job.style).stem, painted, insets[job.style], note="not painted")
