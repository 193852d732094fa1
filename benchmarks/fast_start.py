"""Measure what a feed-forward start is worth: `python benchmarks/fast_start.py [--photographs N] [--size PX]`.

The loss over evaluations of the preset `fast`, which begins with what a network paints in one pass, beside that of the
default preset from the photograph, with its own course from small to large for each number of evaluations. Every
picture is measured alike, by `gramarye measure`'s objective in float32.

Photographs are every 50th of ../shared/images/train, which no painter of the package has been trained on; each is
painted after one of the bundled paintings, by turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

from torch import Tensor

from fast import held_out
from gramarye import demo, machine, preset, transfer
from gramarye.settings import Settings

AFTER = {"fast": (0, 10, 20, 40), "default": (20, 50, 120, 200)}  # evaluations; 0 is the start

Reached = tuple[str, int, float, float]  # by which preset, after how many evaluations, seconds, loss


def courses(photograph: Path, painting: Path, size: int) -> Iterator[Reached]:
    """All that is compared, of one pair."""
    quick, default = (preset(name).with_(size=size, **{"network.name": "vgg19-lite"}) for name in AFTER)
    asked = [("fast", quick.with_(steps=max(AFTER["fast"])))]
    asked += [("default", default.with_(steps=count, init="content")) for count in AFTER["default"]]
    for name, settings in asked:
        for index, seconds, pixels in painted(photograph, painting, settings):
            if index in AFTER[name] and (name == "fast" or index == settings.steps):
                yield name, index, seconds, transfer.measure(pixels, photograph, painting, default).total


def painted(photograph: Path, painting: Path, settings: Settings) -> Iterator[tuple[int, float, Tensor]]:
    """Paint, and tell evaluation, seconds and picture, the start first."""
    under_way = transfer.prepare(photograph, painting, settings)
    yield 0, under_way.seconds, under_way.pixels
    for step in under_way.steps():
        yield step.index, step.seconds, step.pixels.clamp(0, 1)


def main() -> None:
    """For each photograph the losses; then, for each preset and number of evaluations, means of seconds and loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=6)
    parser.add_argument("--size", type=int, default=384)
    asked = parser.parse_args()
    machine.keep_memory()
    styles, found = demo.styles(), dict[tuple[str, int], list[tuple[float, float]]]()
    for place, photograph in enumerate(held_out(asked.photographs)):
        style, told = styles[place % len(styles)], list[str]()
        for name, index, seconds, loss in courses(photograph, style, asked.size):
            found.setdefault((name, index), []).append((seconds, loss))
            told.append(f"{name} {index}: {loss:.2f}")
        print(f"  {photograph.stem} {style.stem:12} {', '.join(told)}", flush=True)
    for (name, index), reached in found.items():
        seconds, losses = map(mean, zip(*reached, strict=True))
        print(f"{name:10}{index:4} evaluations {seconds:7.2f} s   loss {losses:7.3f}")


if __name__ == "__main__":
    main()
