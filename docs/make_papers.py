"""Run every command of docs/papers.md and keep its picture: `python docs/make_papers.py [WORDS…]`.

The photograph is Grace Hopper's portrait (US Navy, public domain), the paintings are Gramarye's own; all at
`--size 160`.
Pictures that are there already are kept: delete one to make it again. WORDS choose rows that contain one of them.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gramarye import demo, images
from gramarye.report.sheet import Cell, contact_sheet

DOCS = Path(__file__).parent
PICTURE = re.compile(r"\[picture\]\((images/papers/[\w.-]+\.jpg)\)")
COMMAND = re.compile(r"`gramarye (transfer [^`]+)`")
SIZE = ("--size", "160")
LONGEST = 900  # px, of a sheet as it is kept
STYLES = ("swirl", "woodcut", "mosaic")


def rows(page: str) -> dict[str, list[str]]:
    """The arguments of every command that has a picture, by the picture's path."""
    found = {}
    for line in page.splitlines():
        picture, command = PICTURE.search(line), COMMAND.search(line)
        if picture and command:
            found[picture[1]] = shlex.split(command[1])
    return found


def run(arguments: list[str], folder: Path) -> Path:
    """Run one command inside `folder`; returns the picture that it wrote, or the sheet of its snapshots."""
    paintings = {path.stem: path for path in demo.styles()}
    inputs = {"photo.jpg": demo.photograph(), "painting.jpg": paintings[STYLES[0]]}
    inputs |= {f"paintings/{name}.jpg": paintings[name] for name in STYLES}
    inputs["photos/photo.jpg"] = demo.photograph()
    for name, path in inputs.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(path, folder / name)
    program = Path(sys.executable).with_name("gramarye")
    subprocess.run([program, *arguments, *SIZE, "--quiet"], cwd=folder, check=True)
    if (folder / "painted").is_dir():
        return next((folder / "painted").glob("*sheet*"))
    if snapshots := sorted(folder.glob("out-*.png")):
        cells = [Cell(path.stem.removeprefix("out-").lstrip("0"), images.load(path).pixels) for path in snapshots]
        contact_sheet(cells, folder / "out.png", columns=3)
    return folder / "out.png"


def main() -> None:
    for name, arguments in rows((DOCS / "papers.md").read_text()).items():
        target = DOCS / name
        if target.exists() or not any(word in name for word in sys.argv[1:] or [""]):
            continue
        print(name, shlex.join(arguments), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                made = run(arguments, Path(folder))
            except subprocess.CalledProcessError as error:
                print(f"{name}: left out, exit status {error.returncode}", flush=True)
                continue
            pixels = images.load(made).pixels
            longest = max(pixels.shape[2:])
            size = images.fitted_size((pixels.shape[2], pixels.shape[3]), min(longest, LONGEST))
            target.parent.mkdir(parents=True, exist_ok=True)
            images.save(images.resize(pixels, size), target, quality=80)


if __name__ == "__main__":
    main()
