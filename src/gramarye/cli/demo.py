"""gramarye demo: the bundled photograph in the bundled styles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gramarye.cli import console
from gramarye.cli import painting as shared

Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")]


@console.command
def demo(
    *,
    out: Folder = Path("gramarye-demo"),
    size: shared.Size = None,
    steps: shared.Steps = None,
    json: console.Json = False,
    quiet: console.Quiet = False,
) -> None:
    """Paint the bundled photograph in each bundled style; needs nothing but the installation.

    Example: [b]gramarye demo -o pictures[/b]
    """
    settings = shared.settings_from("default", size=size, steps=steps, network="vgg19-lite")
    from gramarye import demo as bundle
    from gramarye import images, machine
    from gramarye.report import sheet
    from gramarye.transfer import prepare

    contact = out / "contact-sheet.png"
    paths = {style: out / f"{style.stem}.png" for style in bundle.styles()}
    _make_folder(out)
    for path in (*paths.values(), contact):
        images.check_destination(path)
    machine.keep_memory()
    cells, written, seconds = [sheet.Cell("photograph", images.load(bundle.photograph()).pixels)], [], 0.0
    interrupted = False
    for style, path in paths.items():
        painting = prepare(bundle.photograph(), style, settings, preset="default")
        result, interrupted = shared.paint(painting, path, quiet=quiet, label=style.stem)
        written.append(str(path))
        seconds += result.seconds
        cells.append(sheet.Cell(style.stem, result.pixels, inset=images.load(style).pixels))
        if interrupted:
            break
    sheet.contact_sheet(cells, contact, columns=4)
    console.say(f"wrote {contact} · painted in {console.seconds_in_words(seconds)}", quiet=quiet)
    if json:
        console.answer({"seconds": round(seconds, 3), "outputs": written, "sheet": str(contact)})
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)


def _make_folder(folder: Path) -> None:
    from gramarye.errors import ImageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            "the demo needs a folder to write to", f"{folder}: {error.strerror}", "choose one with -o"
        ) from error
