"""One measurement in a process of its own, printed as JSON; `run.py` calls it.

A process of its own, because how memory is kept is a property of the process, and so is its peak.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gramarye import images, machine, presets, weights
from gramarye.objective import objective_for
from gramarye.optimize import optimize
from gramarye.seeing import make_network
from gramarye.settings import Settings
from gramarye.transfer import prepare
from gramarye.vgg import scale_activations
from gramarye.weights.units import unit_factors
from plain import Plain, loop


def inputs(options: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    """The photograph and the painting, both square, 1 3 size size."""
    size = (options.size, options.size)
    return tuple(images.resize(images.load(path).pixels, size) for path in (options.content, options.style))  # type: ignore[return-value]


def plain_evaluation(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of one evaluation of the plain loop, VGG-19 or lite, to relu5_1."""
    photograph, painting = inputs(options)
    plain = Plain(weights.read(options.weights), photograph, painting, deep=True)
    times = [seconds for seconds, _ in loop(plain, photograph, options.repeats + 2)]
    return {"seconds": fastest(times)}


def evaluation(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of one evaluation as a painting makes them, optimiser included, with the default objective."""
    machine.keep_memory()
    photograph, painting = inputs(options)
    settings = presets.preset("default").with_(precision=options.precision)
    network = make_network(weights.read(options.weights), settings, torch.device("cpu"))
    objective = objective_for(network, photograph, [painting], settings)
    steps = optimize(photograph.clone(), objective, network, settings.optimizer, options.repeats + 2)
    times = [step.seconds for step in steps]
    return {"seconds": fastest(times)}


def fastest(times: list[float]) -> float:
    """The median time of one evaluation from the times of all, the first two left out."""
    each = sorted(after - before for before, after in itertools.pairwise(times[1:]))
    return each[len(each) // 2]


def rates(options: argparse.Namespace) -> dict[str, Any]:
    """What this machine can: GFLOP/s of a matrix product and of a 3×3 convolution."""
    machine.keep_memory()
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        a, b = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
        found[f"matrix {name}"] = 2 * 2048**3 / best_of(lambda a=a, b=b: a @ b) / 1e9
        image = torch.randn(1, 256, 128, 128).to(dtype).contiguous(memory_format=torch.channels_last)
        kernel = torch.randn(256, 256, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
        work = 2 * 9 * 256 * 256 * 128 * 128
        convolve = lambda image=image, kernel=kernel: torch.conv2d(image, kernel, padding=1)  # noqa: E731
        found[f"convolution {name}"] = work / best_of(convolve) / 1e9
    return found


def best_of(call: Any, count: int = 8) -> float:
    """The shortest of some calls, in seconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def plain_descent(options: argparse.Namespace) -> dict[str, Any]:
    """The tutorial's own settings, 300 evaluations: its seconds and the loss that it ends at."""
    photograph, painting = inputs(options)
    plain = Plain(tutorials(options.weights), photograph, painting, deep=False)
    history = list(loop(plain, photograph, options.repeats))
    return {"seconds": history[-1][0], "loss": history[-1][1], "best": min(loss for _, loss in history)}


def tutorials(path: Path) -> weights.Weights:
    """A file's weights with activations as large as torchvision's, for which the tutorial weighs the style."""
    read = weights.read(path)
    return replace(read, tensors=scale_activations(read.tensors, unit_factors(read, "torchvision")))


def descent(options: argparse.Namespace) -> dict[str, Any]:
    """The same objective painted coarse to fine in the fastest precision, until it is at `--target`, in float32."""
    machine.keep_memory()
    photograph, painting = inputs(options)
    settings = presets.preset("pytorch-tutorial").with_(
        **{
            "size": options.size,
            "steps": 180,
            "precision": "auto",
            "optimizer.history": 10,
            "scales.count": 3,
            "scales.shares": (0.3, 0.3, 0.4),
        }
    )
    began = time.perf_counter()
    job = prepare(photograph, painting, settings, weights_file=options.weights)
    evaluations = 0
    plain = Plain(tutorials(options.weights), photograph, painting, deep=False)
    checking, loss = 0.0, math.nan
    for step in job.steps():
        evaluations = step.index
        if step.scale == 2 and step.total <= options.target * 1.02:
            pause = time.perf_counter()
            with torch.no_grad():
                loss = float(plain.loss(step.pixels.clamp(0, 1)))
            checking += time.perf_counter() - pause
            if loss <= options.target:
                return {"seconds": time.perf_counter() - began - checking, "evaluations": evaluations, "loss": loss}
    return {"seconds": None, "evaluations": evaluations, "loss": loss}


def painting(options: argparse.Namespace) -> dict[str, Any]:
    """A whole painting with the default preset: seconds without start-up, and the peak of memory."""
    machine.keep_memory()
    settings: Settings = presets.preset("default").with_(size=options.size)
    if options.repeats:
        settings = settings.with_(steps=options.repeats, **{"scales.count": 1, "scales.shares": ""})
    job = prepare(options.content, options.style, settings, weights_file=options.weights)
    for _ in job.steps():
        pass
    result = job.result()
    return {"seconds": result.seconds, "memory_mb": result.peak_memory / 1e6, "total": result.total}


KINDS = {
    "plain-evaluation": plain_evaluation,
    "evaluation": evaluation,
    "rates": rates,
    "plain-descent": plain_descent,
    "descent": descent,
    "painting": painting,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--weights", type=Path, default=weights.embedded())
    parser.add_argument("--content", type=Path)
    parser.add_argument("--style", type=Path)
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--target", type=float)
    options = parser.parse_args()
    print(json.dumps(KINDS[options.kind](options)))


if __name__ == "__main__":
    main()
