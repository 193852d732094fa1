"""Shots side by side: `python benchmarks/film_on_ray.py [--shots 4] [--frames 40] [--style demo:swirl]`.

A film of slow pans across ../shared/images/content is painted with the shipped network by one process that divides its
sums among all processors, by one of a single thread, and by a Ray cluster of this machine. Says how long each takes,
start-up included, and ends with status 1 if Ray's frames differ by a byte from those of the single thread.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from film_killed import PROGRAM
from gramarye import images
from gramarye.video.frames import Film, Frame, Writer
from run import SHARED

SIZE, RATE = (360, 640), Fraction(24)
ROOM = 1.25  # a photograph is so many times as large as what is seen of it


def pan(photograph: Path, frames: int) -> Iterator[Tensor]:
    """What a camera sees that goes across the photograph from its upper left to its lower right."""
    pixels = images.load(photograph).pixels
    height, width = SIZE
    scale = ROOM * max(height / pixels.shape[2], width / pixels.shape[3])
    whole = images.resize(pixels, (round(pixels.shape[2] * scale), round(pixels.shape[3] * scale)))
    for frame in range(frames):
        top, left = (round((side - seen) * frame / frames) for side, seen in zip(whole.shape[2:], SIZE, strict=True))
        yield whole[:, :, top : top + height, left : left + width]


def written(path: Path, shots: int, frames: int) -> Path:
    """The film."""
    photographs = sorted((SHARED / "images" / "content").glob("*.jpg"))[:shots]
    count = len(photographs) * frames
    like = Film(path, SIZE, RATE, count, float(count / RATE), False, 0, "video")
    with Writer(path, like, size=SIZE, sound=False) as writer:
        for number, pixels in enumerate(pixels for each in photographs for pixels in pan(each, frames)):
            writer.write(Frame(number, number / RATE, pixels))
    return path


def painted(film: Path, style: str, output: Path, *words: str) -> dict[str, bytes]:
    """Paint the film to a folder, and say how long that took; the frames by name."""
    began = time.perf_counter()
    subprocess.run([*PROGRAM, str(film), style, "-o", str(output), "--quiet", *words], check=True)
    print(f"{' '.join(words) or 'all processors':16} {time.perf_counter() - began:6.1f} s", flush=True)
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--frames", type=int, default=40, help="of each shot")
    parser.add_argument("--style", default="demo:swirl")
    options = parser.parse_args()
    if not SHARED.is_dir():
        raise SystemExit(f"this needs {SHARED}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        film = written(place / "film.mp4", options.shots, options.frames)
        painted(film, options.style, place / "all")
        alone = painted(film, options.style, place / "one", "--threads", "1")
        shared = painted(film, options.style, place / "ray", "--ray", "auto")
        print(f"{len(alone)} frames, {'equal' if alone == shared else 'DIFFER'} byte for byte")
        if alone != shared:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
