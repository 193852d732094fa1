"""What each style statistic costs: one evaluation (forward and backward), as a ratio to that with Gram matrices.

    python benchmarks/losses.py [--size 512] [--full] [--repeats 3]

All statistics are measured by turns in one process, and the median of the ratios of a turn is given, because
machines are noisy. One content layer and the default's style layers; the embedded network, and the full VGG-19
with `--full` where its weights are. (Not called statistics.py: that would hide Python's own module.)
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gramarye import demo, images, machine, presets, weights
from gramarye.objective import objective_for
from gramarye.seeing import make_network
from gramarye.statistics import STATISTICS
from gramarye.vgg import VGG

FULL = Path(__file__).parents[2] / "shared" / "weights" / "vgg19_oxford_conv.safetensors"


def evaluation(network: VGG, pixels: dict[str, torch.Tensor], statistic: str) -> Callable[[], float]:
    """A function that evaluates the default objective with `statistic` once and returns its processor seconds."""
    settings = presets.preset("default").with_(**{"style.statistic": statistic})
    objective = objective_for(network, pixels["photograph"], [pixels["painting"]], settings)
    image = pixels["photograph"].clone().requires_grad_()

    def once() -> float:
        began = time.process_time()
        objective.total(objective.values(network(image, objective.layers))).backward()
        image.grad = None
        return time.process_time() - began

    return once


def ratios(network: VGG, pixels: dict[str, torch.Tensor], repeats: int) -> dict[str, float]:
    """Seconds with Gram matrices under "seconds", and for each statistic its ratio to them."""
    calls = {name: evaluation(network, pixels, name) for name in STATISTICS}
    turns = [{name: call() for name, call in calls.items()} for _ in range(repeats + 1)][1:]
    found = {"seconds": median([turn["gram"] for turn in turns])}
    return found | {name: median([turn[name] / turn["gram"] for turn in turns]) for name in STATISTICS}


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="the full VGG-19 too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    machine.keep_memory()
    size = (options.size, options.size)
    given = {"photograph": demo.photograph(), "painting": demo.styles()[0]}
    pixels = {name: images.resize(images.load(path).pixels, size) for name, path in given.items()}
    files = {"vgg19-lite": weights.embedded()} | ({"vgg19": FULL} if options.full and FULL.is_file() else {})
    found = {}
    for name, file in files.items():
        network = make_network(weights.read(file), presets.preset("default"), torch.device("cpu"))
        found[name] = ratios(network, pixels, options.repeats)
        if not options.json:
            print(f"{name} {options.size}²: {found[name]['seconds']:.3f} s with gram")
            print("\n".join(f"  {key:12}{ratio:6.2f}" for key, ratio in found[name].items() if key in STATISTICS))
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
