"""How steady are painted films? `python benchmarks/video.py [--size 384] [--out DIR] [--only optimised|fast|film]`.

Four frames each of two clips of MPI Sintel (../shared/images/video) are painted by the optimisation with the embedded
network and by the feed-forward painter of every bundled style, frame by frame and as a film. Measured are the masked
warp error of neighbouring frames by optical flow, and that of frames 2 and 3 by Sintel's true flow, beside what the
clip has by itself, and what is left if the painting of frame 2 is carried over to frame 3 by the true flow, wherever
that shows it; how sharp the last frame is; and, of the optimisation, what is left of the style terms. A longer film
(cutBunny.mp4) shows what becomes of the first style's frames in the long run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gramarye import demo, images, machine, presets
from gramarye.fast.paint import painter_for
from gramarye.report.sheet import Cell, contact_sheet
from gramarye.video import flow as motion
from gramarye.video.frames import Film, Frame, Writer, film, frames
from gramarye.video.measure import warp_error
from gramarye.video.painters import Fast, Optimised
from gramarye.video.sequence import Before, Painted, Painter, moved, sequence
from gramarye.video.settings import TemporalSettings
from run import SHARED

VIDEO = SHARED / "images" / "video"
CLIPS = ("sintel_clean_easy", "sintel_clean_medium")
RATE = Fraction(24)
TRUE = 1  # the true flow leads from the second frame, this one from 0, to the third
LONG_FILM, FROM, FRAMES = "cutBunny.mp4", 60, 24


@dataclass(frozen=True)
class Clip:
    """A clip of Sintel at some size; its true flow from frame TRUE to the next and back, and where those are known."""

    name: str
    frames: tuple[Frame, ...]
    flow: Tensor
    mask: Tensor
    back: Tensor
    shown: Tensor  # 1 where what the next frame shows is seen in frame TRUE


def clip(name: str, size: int) -> Clip:
    """A clip with `size` as its long side; flow and masks are shrunk with it."""
    folder = VIDEO / name
    pictures = [images.load(path).pixels for path in sorted(folder.glob("frame_*.png"))]
    shape = images.fitted_size((pictures[0].shape[2], pictures[0].shape[3]), size)
    found = tuple(Frame(number, number / RATE, images.resize(each, shape)) for number, each in enumerate(pictures))
    truth = motion.read_flo(folder / "flow_0002_to_0003.flo")
    scale = truth.new_tensor([shape[1] / truth.shape[3], shape[0] / truth.shape[2]]).view(1, 2, 1, 1)
    hidden = [images.load(folder / f"{what}_0002.png").pixels[:, :1] for what in ("occlusion", "invalid")]
    worst = torch.stack([images.resize(each, shape) for each in hidden]).amax(0)
    back, shown = turned(truth, torch.stack(hidden).amax(0) < 0.5)
    truth, back, shown = (torch.nn.functional.interpolate(each, shape, mode="area") for each in (truth, back, shown))
    return Clip(name, found, truth * scale, (worst < 0.01).float(), back * scale, (shown > 0.99).float())


def turned(flow: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The flow back, 1 2 H W, and where it is known, 1 1 H W.

    Every vector that is `seen` is laid down, turned round, where it leads; the four pixels around have each its share.
    """
    height, width = flow.shape[2:]
    x, y = flow[0, 0] + torch.arange(width), flow[0, 1] + torch.arange(height)[:, None]
    laid = torch.zeros(3, height * width)
    for column in (x.floor(), x.floor() + 1):
        for row in (y.floor(), y.floor() + 1):
            share = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = seen[0, 0] & (column >= 0) & (column < width) & (row >= 0) & (row < height)
            vectors = torch.cat([-flow[0], torch.ones(1, height, width)]) * share
            laid.index_add_(1, (row * width + column)[inside].long(), vectors[:, inside])
    sums, shares = laid[:2].view(1, 2, height, width), laid[2:].view(1, 1, height, width)
    return sums / shares.clamp_min(1e-6), (shares > 0.3).float()


def alone(painter: Painter) -> Painter:
    """The same painter, which is told nothing of the frames before."""

    def paint(frame: Frame, before: Before | None) -> Tensor:
        return painter(frame, None)

    return paint


def sharpness(pixels: Tensor) -> float:
    """The mean difference of neighbouring pixels."""
    return float(
        (pixels[..., 1:] - pixels[..., :-1]).abs().mean() + (pixels[..., 1:, :] - pixels[..., :-1, :]).abs().mean()
    )


def painted(clip: Clip, painter: Painter, reach: tuple[int, ...]) -> tuple[dict[str, Any], list[Painted]]:
    """Paint a clip and measure it."""
    began = time.perf_counter()
    made = list(sequence(clip.frames, painter, range=reach))
    seconds = time.perf_counter() - began
    pair = [made[TRUE].pixels, made[TRUE + 1].pixels], [each.pixels for each in clip.frames[TRUE : TRUE + 2]]
    errors = [sum(getattr(each, name) or 0 for each in made[1:]) / (len(made) - 1) for name in NAMES]
    true = [warp_error(*each, clip.flow, clip.mask) for each in pair]
    row = {"error": errors[0], "floor": errors[1], "true error": true[0], "true floor": true[1]}
    seen = sum(each.seen for each in made[1:]) / (len(made) - 1)
    return row | {"seen": seen, "seconds": seconds / len(made), "sharpness": sharpness(made[-1].pixels)}, made


NAMES = ("warp_error", "source_warp_error")


def optimised(options: argparse.Namespace) -> tuple[Painter, Painter]:
    settings = presets.preset("default").with_(**{"network.name": "vgg19-lite", **knobs(options.set)})
    temporal = TemporalSettings(**{name: float(value) for name, value in knobs(options.temporal).items()})
    made = Optimised(options.style, settings, temporal, preset="default")
    return Optimised(options.style, settings, preset="default"), made


def knobs(given: Sequence[str]) -> dict[str, str]:
    return dict(each.split("=", 1) for each in given)


def fast(options: argparse.Namespace, style: str) -> tuple[Painter, Painter]:
    painter = painter_for([f"demo:{style}"])
    return Fast(painter, blend=0), Fast(painter, **{k: float(v) for k, v in knobs(options.blend).items()})


def carried(clip: Clip, alone: Sequence[Painted]) -> float:
    """The error by true flow of two frames painted alone, the second laid over with the first by true flow and mask.

    What perfect flow would leave: strokes that are moved by parts of a pixel, and what is painted anew beside the mask.
    """
    first, second = (each.pixels for each in alone[TRUE : TRUE + 2])
    return warp_error(first, torch.lerp(second, moved(first, clip.back), clip.shown), clip.flow, clip.mask)


def show(kind: str, clip: Clip, rows: dict[str, dict[str, Any]]) -> None:
    """The lines of one clip and painter; ratios to frame by frame, and to the clip's own error."""
    free = rows["frame by frame"]
    for how, row in rows.items():
        parts = [f"{kind:11} {clip.name:20} {how:15}"]
        for name in ("", "true "):
            error, floor = row[f"{name}error"], row[f"{name}floor"]
            row[f"{name}ratio"], row[f"{name}over floor"] = error / free[f"{name}error"], error / floor
            parts.append(
                f"{name}error {error:.5f} = {error / free[f'{name}error']:.2f}× alone = {error / floor:4.1f}× floor"
            )
        row["sharpness ratio"] = row["sharpness"] / free["sharpness"]
        parts.append(f"seen {row['seen']:.2f}  sharp {row['sharpness ratio']:.2f}  {row['seconds']:.2f} s")
        if "carried" in row:
            parts.append(f"carried by true flow {row['carried'] / row['true floor']:.1f}× floor")
        if "style" in row:
            parts.append(f"style {row['style']:.3f} content {row['content']:.3f}")
        print("   ".join(parts), flush=True)


def compare(kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both clips, optimised or after a bundled style, frame by frame and as a film; all is put in the folder."""
    found = {}
    for name in options.clips:
        shown = clip(name, options.size)
        rows, cells = {}, [Cell(f"{name} · {number + 1}", each.pixels) for number, each in enumerate(shown.frames)]
        free, held = optimised(options) if kind == "optimised" else fast(options, kind)
        for how, painter in (("frame by frame", alone(free)), ("as a film", held)):
            rows[how], made = painted(shown, painter, tuple(options.range))
            own = free if how == "frame by frame" else held
            if isinstance(own, Optimised) and own.result is not None:
                rows[how] |= of_kinds(own.result.terms)
            cells += [Cell(f"{kind}, {how} · {each.frame.index + 1}", each.pixels) for each in made]
            write(options.out / f"{kind}-{name}-{how.replace(' ', '-')}.mp4", made)
            if how == "frame by frame":
                rows[how]["carried"] = carried(shown, made)
        show(kind, shown, rows)
        contact_sheet(cells, options.out / f"{kind}-{name}.png", columns=len(shown.frames))
        found[name] = rows
    return found


def of_kinds(terms: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {
        kind: sum(term["weighted"] for term in terms if term["kind"] == kind)
        for kind in ("style", "content", "temporal")
    }


def write(path: Path, made: Sequence[Painted], repeats: int = 6) -> None:
    """The frames to and fro, as few as they are."""
    there = [each.pixels for each in made]
    height, width = there[0].shape[2:]
    like = Film(path, (height, width), RATE / 3, len(there), 1.0, False, 0, "video")
    order = (there + there[-2:0:-1]) * repeats if len(there) < 10 else there
    with Writer(path, like, size=(height, width), sound=False) as writer:
        for number, pixels in enumerate(order):
            writer.write(Frame(number, number / (RATE / 3), pixels))


def long_film(options: argparse.Namespace) -> dict[str, Any]:
    """What becomes of a feed-forward painter's frames in the long run, after the first style that is asked for."""
    found: dict[str, Any] = {}
    cells: list[Cell] = []
    for how, painter in zip(("frame by frame", "as a film"), fast(options, options.fast[0]), strict=True):
        source: Iterator[Frame] = frames(film(VIDEO / LONG_FILM), FROM, FROM + options.frames - 1, size=options.size)
        began = time.perf_counter()
        made = list(sequence(source, painter))
        known = [each for each in made if each.warp_error is not None]
        found[how] = {
            "error": sum(each.warp_error for each in known) / len(known),
            "floor": sum(each.source_warp_error for each in known) / len(known),
            "sharpness": [round(sharpness(each.pixels), 4) for each in made],
            "seconds": (time.perf_counter() - began) / len(made),
        }
        cells += [Cell(f"{how} · {each.frame.index}", each.pixels) for each in made[:: max(1, len(made) // 6)]][:6]
        write(options.out / f"long-{how.replace(' ', '-')}.mp4", made)
        row, first = found[how], found["frame by frame"]
        last = sum(row["sharpness"][-5:]) / sum(first["sharpness"][-5:])
        print(
            f"long film  {how:15} error {row['error']:.5f} = {row['error'] / first['error']:.2f}× alone = "
            f"{row['error'] / row['floor']:.1f}× floor   sharp at the end {last:.2f}   {row['seconds']:.2f} s"
        )
    contact_sheet(cells, options.out / "long.png", columns=6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--style", type=Path, default=SHARED / "images" / "style" / "starry_night_google.jpg")
    styles = [path.stem for path in demo.styles()]
    parser.add_argument("--fast", nargs="+", choices=styles, default=styles)
    parser.add_argument("--range", type=int, nargs="+", default=[1])
    parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE")
    parser.add_argument("--temporal", action="append", default=[], metavar="KNOB=VALUE")
    parser.add_argument("--blend", action="append", default=[], metavar="KNOB=VALUE")
    parser.add_argument("--clips", nargs="+", choices=CLIPS, default=CLIPS)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--only", choices=("optimised", "fast", "film"))
    parser.add_argument("--out", type=Path, default=Path("bench"))
    options = parser.parse_args()
    if not VIDEO.is_dir():
        raise SystemExit(f"this needs {VIDEO}")
    machine.keep_memory()
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = {"optimised": ["optimised"], "fast": options.fast, "film": ["film"]}
    asked = [each for kind, those in kinds.items() if options.only in (None, kind) for each in those]
    found = {kind: long_film(options) if kind == "film" else compare(kind, options) for kind in asked}
    (options.out / "video.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
