"""gramarye transfer --compare KNOB: the same picture with several values of a knob, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gramarye.cli import console, series
from gramarye.cli import painting as shared
from gramarye.errors import ImageError, SettingsError

if TYPE_CHECKING:
    from gramarye.comparison import Axis, Variant
    from gramarye.report.sheet import Cell

Compare = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KNOB=VALUE,…",
        rich_help_panel=series.PANEL,
        help="Paint with each value of a knob; KNOB alone: with each choice that it has. OUT is a contact sheet, the "
        "pictures go to OUT-compare. Given twice: rows and columns. Values that are lists are separated by slashes.",
    ),
]


def run(
    order: shared.Order, content: str, styles: Sequence[str], output: Path, knobs: Sequence[str], *, json: bool
) -> NoReturn:
    """Paint every variant, whatever fails, and their contact sheet."""
    from gramarye import comparison, machine
    from gramarye.report import sheet

    if len(knobs) > 2:
        raise SettingsError("--compare is given once, or twice for rows and columns", len(knobs))
    axes = [comparison.axis(each) for each in knobs]
    variants = comparison.variants(order.settings, axes)
    folder = output.with_name(f"{output.stem}-compare")
    paths = [folder / f"{variant.name}.png" for variant in variants]
    _check(order, output, paths, [content, *styles, *order.files()])
    machine.keep_memory()
    pairs = zip(variants, paths, strict=True)
    pieces = [series.Piece(each.caption, content, tuple(styles), each.settings, path) for each, path in pairs]
    course = series.paint(order, pieces)
    columns = len(axes[-1].values) if len(axes) == 2 else None
    sheet.contact_sheet(_cells(variants, course.found), output, columns=columns)
    course.tell()
    console.say(f"wrote {output} · the pictures are in {folder}", quiet=order.quiet)
    if json:
        results = [_plain(*pair, axes) for pair in zip(variants, course.found, strict=True)]
        console.answer({"results": results, "sheet": str(output), "interrupted": course.interrupted})
    raise typer.Exit(course.status)


def _check(order: shared.Order, output: Path, paths: Sequence[Path], inputs: Sequence[str | Path]) -> None:
    """Refuse what cannot be written before anything is painted, and make the folder; raises ImageError."""
    shared.check_output(output, inputs, bits=order.bits)
    if output.suffix.lower() != ".png":
        raise ImageError("a contact sheet is a PNG", str(output), "choose a name that ends in .png")
    series.make_folder(paths[0].parent)
    series.check_outputs(paths, inputs, bits=order.bits)


def _cells(variants: Sequence[Variant], found: Sequence[dict[str, Any]]) -> list[Cell]:
    from gramarye.report.sheet import Cell, thumbnail

    return [
        Cell(
            variant.caption,
            thumbnail(each["output"]) if "terms" in each else None,
            note=each.get("error", "not painted"),
        )
        for variant, each in zip(variants, found, strict=True)
    ]


def _plain(variant: Variant, found: dict[str, Any], axes: Sequence[Axis]) -> dict[str, Any]:
    return {"knobs": {axis.knob: variant.settings.get(axis.knob) for axis in axes}, **found}
