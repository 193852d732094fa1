"""Measure the feed-forward painters of the package: `python benchmarks/fast.py [SECTION…] [OPTION…]`.

Sections:
- speed: one pass at 512² and 1080p, and the plain loop's 300 evaluations beside it, from a measured share of them;
- quality: the objective of what they paint of photographs that they have never seen, after the bundled paintings, which
  both have, against 300 evaluations of L-BFGS;
- unseen: the same of the painter of any style, after paintings that it has not seen either;
- mixing: how far the style moves as the shares of a mix do.

Photographs are every 50th of ../shared/images/train, which `gramarye fast train` keeps for this. With --sheet the
pictures of `quality` or `unseen` are written; with --full their objective is seen through the full VGG-19, which
takes a minute and a half for each photograph, instead of the embedded network.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch

import run
from gramarye import demo, images, machine, preset, transfer
from gramarye.fast import paint
from gramarye.settings import Settings

SHARED = Path(__file__).parents[2] / "shared"
HELD = 50  # every so many-th photograph
PHOTOGRAPHS, SIDE, EVALUATIONS = 20, 512, 300  # at the size of the paintings in training, the objective is the same
LIMITS = {"many": (0.25, 1.5), "any": (0.4, 2.5)}  # seconds at 512², times the optimisation's objective
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
UNSEEN = ("delaunay_portrait_1906", "monet_water_lilies_1919", "shipwreck_of_the_minotaur")  # of ../shared/images/style
SETTINGS = preset("default").with_(size=SIDE, **{"network.name": "vgg19-lite"})


def told(name: str, value: float, limit: float, unit: str) -> None:
    """One figure beside its aim."""
    print(f"{name:58} {value:8.3f} {unit:3} (≤ {limit:g}){'' if value <= limit else '   OVER'}", flush=True)


def held_out(count: int) -> list[Path]:
    """Photographs that no painter of the package has been trained on."""
    files = sorted((SHARED / "images" / "train").glob("*.jpg"))[::HELD]
    if len(files) < count:
        sys.exit(f"benchmarks/fast.py measures on the photographs of {SHARED}/images/train, which are not there")
    return files[:count]


def seconds(act: Callable[[], object], repeats: int = 7) -> float:
    """The median time, after one that is not counted."""
    act()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def speed() -> None:
    """Passes, and what the plain loop takes with the full network, or with the embedded one where that is not there."""
    machine.keep_memory()
    photograph = images.load(demo.photograph()).pixels
    sizes = {"512×512": (512, 512), "1080p": (1080, 1920)}
    pictures = {name: images.resize(photograph, size) for name, size in sizes.items()}
    network, file = next(iter(run.networks().items()))
    loop = EVALUATIONS * run.measure("plain-evaluation", size=512, weights=file, repeats=5)["seconds"]
    for kind, (limit, _) in LIMITS.items():
        painter = paint.painter_for(demo.styles()[0], network=kind)
        taken = {name: seconds(partial(painter, picture)) for name, picture in pictures.items()}
        told(f"one pass, {kind}, 512×512", taken["512×512"], limit, "s")
        told(f"one pass, {kind}, 1080p", taken["1080p"], 2.0, "s")
        times = loop / taken["512×512"]
        print(f"  {EVALUATIONS} evaluations of the plain loop, {network}: {loop:.0f} s, {times:.0f} times as long")


def quality(asked: argparse.Namespace) -> None:
    """After the bundled paintings."""
    _compared(demo.styles(), tuple(LIMITS), asked)


def unseen(asked: argparse.Namespace) -> None:
    """After paintings that the painter of any style has not been trained on."""
    folder = SHARED / "images" / "style"
    _compared([next(folder.glob(f"{name}.*")) for name in UNSEEN], ("any",), asked)


def _compared(styles: Sequence[Path], kinds: Sequence[str], asked: argparse.Namespace) -> None:
    """Each photograph in one of the styles, by turns: the optimisation's objective, and the painters' beside it."""
    machine.keep_memory()
    name = "vgg19" if asked.full else "vgg19-lite"
    if (file := run.networks().get(name)) is None:
        sys.exit(f"--full needs {run.FULL}, which is not there")
    settings = SETTINGS.with_(**{"network.name": name})
    rows = []
    ratios: dict[str, list[float]] = {kind: [] for kind in (*kinds, "photograph")}
    for place, photograph in enumerate(held_out(asked.photographs)):
        style = styles[place % len(styles)]
        job = transfer.prepare(photograph, style, settings.with_(steps=EVALUATIONS), weights_file=file)
        for _ in job.steps():
            pass
        best = job.result()
        reached = transfer.measure(best.image, photograph, style, settings, weights_file=file).total
        pictures = {kind: paint.paint(photograph, style, network=kind, size=SIDE).pixels for kind in kinds}
        plain = images.resize(images.load(photograph).pixels, tuple(best.pixels.shape[2:]))
        for kind, pixels in {**pictures, "photograph": plain}.items():
            found = transfer.measure(pixels, photograph, style, settings, weights_file=file)
            ratios[kind].append(found.total / reached)
        said = ", ".join(f"{kind} {each[-1]:.2f}" for kind, each in ratios.items())
        print(f"  {photograph.stem[:14]:14} {style.stem[:12]:12} L-BFGS {reached:6.3f}; times that: {said}", flush=True)
        rows.append(torch.cat([_tile(each) for each in (plain, best.pixels, *pictures.values())], dim=3))
    for kind in kinds:
        name = f"objective, {kind}, times that of {EVALUATIONS} evaluations, median"
        told(name, statistics.median(ratios[kind]), LIMITS[kind][1], "")
    print(f"  the photograph itself: {statistics.median(ratios['photograph']):.1f} times")
    if asked.sheet:
        images.save(torch.cat(rows[:8], dim=2), asked.sheet)


def _tile(pixels: torch.Tensor) -> torch.Tensor:
    """The middle of a picture, square."""
    height, width = pixels.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images.resize(pixels[:, :, top : top + side, left : left + side], (SIDE, SIDE))


def mixing() -> None:
    """The distance to each of two paintings as the share of the first goes from 0 to 1."""
    first, second, *_ = demo.styles()
    photographs = held_out(5)
    only_style = SETTINGS.with_(**{"content.weight": 0.0})
    for kind in LIMITS:
        for measured, other in ((first, second), (second, first)):
            rising = 0
            for photograph in photographs:
                found = [_mixed(photograph, (first, second), share, kind, measured, only_style) for share in SHARES]
                wanted = found if measured is second else found[::-1]
                rising += all(one <= next_ for one, next_ in pairwise(wanted))
            way = f"nearer to {measured.stem} with every step away from {other.stem}"
            print(f"{kind}: {way}: {rising} of {len(photographs)}", flush=True)


def _mixed(
    photograph: Path, pair: Sequence[Path], share: float, kind: str, measured: Path, settings: Settings
) -> float:
    mixed = paint.paint(photograph, list(pair), mix=(share, 1 - share), network=kind, size=SIDE).pixels
    terms = transfer.measure(mixed, photograph, measured, settings).terms
    return sum(term["weighted"] for term in terms if term["kind"] == "style")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=["speed", "quality", "unseen", "mixing"])
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--full", action="store_true", help="quality and unseen through the full VGG-19")
    parser.add_argument("--photographs", type=int, default=PHOTOGRAPHS, help="how many in quality and unseen")
    asked = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    for section in asked.sections:
        print(f"— {section}")
        known = {"quality": partial(quality, asked), "unseen": partial(unseen, asked)}
        (known | {"speed": speed, "mixing": mixing})[section]()


if __name__ == "__main__":
    main()
