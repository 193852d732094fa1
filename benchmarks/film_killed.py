"""A film whose painter is killed: `python benchmarks/film_killed.py [--size 640] [--kills 10] [--ray auto]`.

`gramarye video` paints ../shared/images/video/cutBunny.mp4 with the shipped network, once undisturbed, and once killed
with SIGKILL at random moments and begun again each time. Says how far it was at each kill, and ends with an error if a
frame was lost, or if any of the painted frames differs by a byte from those of the undisturbed run.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import SHARED

FILM = SHARED / "images" / "video" / "cutBunny.mp4"
PROGRAM = [sys.executable, "-c", "from gramarye.cli import main; main()", "video"]


def command(options: argparse.Namespace, output: Path) -> list[str]:
    words = [*PROGRAM, str(FILM), options.style, "-o", str(output), "--threads", str(options.threads)]
    words += ["--size", str(options.size)] if options.size else []
    words += ["--last", str(options.frames - 1)] if options.frames else []
    return words + (["--ray", options.ray] if options.ray else [])


def painted(output: Path) -> int:
    """How many frames are kept of a film that is being painted."""
    return len(list(output.with_name(f"{output.name}.work").glob("[0-9]*.png")))


def undisturbed(options: argparse.Namespace, output: Path) -> float:
    """Paint the film; the seconds that it took."""
    began = time.perf_counter()
    subprocess.run([*command(options, output), "--quiet"], check=True)
    return time.perf_counter() - began


def resumed(said: str) -> int:
    """How many frames a run found, by what it said."""
    found = re.search(r"^resumed +(\d+)", said, re.MULTILINE)
    return int(found[1]) if found else 0


def killed(options: argparse.Namespace, output: Path, seconds: float) -> int:
    """Paint the film, killed on the way; how many frames there were at the kills that the next run did not find."""
    chance, lost, there = random.Random(options.seed), 0, 0
    for kill in range(options.kills):
        life = chance.uniform(0, 2 * seconds / options.kills)
        with subprocess.Popen(command(options, output), stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            time.sleep(life)
            ended = process.poll()
            process.kill()
            found = resumed(process.stderr.read())
        if ended is not None:
            raise SystemExit(f"the film was done, with status {ended}, before kill {kill + 1}: choose another --seed")
        lost += max(0, there - found) if found else 0  # a run killed before it looked says nothing
        if painted(output) < there:
            raise SystemExit(f"kill {kill + 1} cost {there - painted(output)} frames")
        there = painted(output)
        print(f"kill {kill + 1:2}  after {life:5.1f} s  {there:3} frames kept", flush=True)
    last = subprocess.run(command(options, output), check=True, stderr=subprocess.PIPE, text=True)
    return lost + there - resumed(last.stderr)


def tell(options: argparse.Namespace, calm: Path, output: Path, lost: int) -> None:
    """Compare the frames of two films; ends with status 1 when one is lost or another."""
    frames = sorted(path.name for path in calm.iterdir())
    differing = [name for name in frames if (calm / name).read_bytes() != (output / name).read_bytes()]
    same = [path.name for path in sorted(output.iterdir())] == frames and not differing
    how = "equal" if same else f"DIFFER ({len(differing)} of them)"
    print(f"{options.kills} kills, {lost} frames lost; all {len(frames)} frames {how}, byte for byte")
    if lost or not same:
        raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, help="long side in pixels, the film's own, 640, by default")
    parser.add_argument("--frames", type=int, help="only so many")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--style", default="demo:cubist")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ray", metavar="auto|ADDRESS", help="the film that is killed is painted on Ray")
    parser.add_argument("--out", type=Path, help="where both films are left")
    options = parser.parse_args()
    if not FILM.is_file():
        raise SystemExit(f"this needs {FILM}")
    with tempfile.TemporaryDirectory() as folder:
        place = options.out or Path(folder)
        calm, output = place / "calm", place / "killed"
        place.mkdir(exist_ok=True)
        plain = argparse.Namespace(**{**vars(options), "ray": None})
        seconds = undisturbed(plain, calm)
        print(f"undisturbed: {len(list(calm.iterdir()))} frames in {seconds:.0f} s", flush=True)
        lost = killed(options, output, seconds)
        tell(options, calm, output, lost)


if __name__ == "__main__":
    main()
