"""Turn a distillation run into the file that is shipped: calibrate every tap, round, and write.

    python training/calibrate.py TEACHER.safetensors RUN PHOTOGRAPHS PAINTINGS [FOLDER…] --out FILE

The student's activation s at a tap is multiplied by a square matrix L, so that distances between calibrated
activations approximate VGG-19's. L begins as M^½ with M = AᵀA, where A is the run's 1×1 matrix from student
to teacher (for convolution taps, fitted here by least squares); it is then fitted by Adam to

    Σ over pairs (ln ‖L·(Gs−Gs′)·Lᵀ‖ − ln ‖Gt−Gt′‖)²  +  Σ (½·ln tr(L·D·Lᵀ) − ½·ln Σ(t−t′)²/M)²

Gs, Gt: Gram matrices of student and teacher; the pairs are of a picture and a painting, or of two pictures.
D: second moment of the student's difference s − s′ between two pictures at the same positions (content
distance). Pictures are those of training, the paintings also in other colours, plus optimised ones (FOLDER), whose
distances are small. One in six pictures is kept back, and the L with the lowest error on their pairs is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from agreement import TAPS, pictures, shrunk
from gramarye import images, machine
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.weights import LITE, Weights, read, write
from recolouring import recoloured

NETWORK = "vgg19-lite"
CONVOLUTIONS = [tap for tap in TAPS if tap.startswith("conv")]
POOLINGS = ("avg", "max")
PAIRS_PER_STEP, RATE = 160, 3e-3
STAY = 0.01  # weight of the penalty on leaving the start, ‖L − L₀‖²/‖L₀‖²


@dataclass
class Observations:
    """What a network makes of some pictures at one tap, with a pooling by turns.

    `grams`: pictures C C. `second`: for each picture and the one before it in the list (resized to it), the
    second moments C C of their difference over positions, or only their trace: the content distance.
    """

    grams: Tensor
    second: Tensor

    def distances(self) -> Tensor:
        """The squared Gram distances of all pictures to each other, pictures pictures."""
        flat = self.grams.flatten(1)
        norms = flat.double().square().sum(1)
        products = torch.stack([(flat @ row).double() for row in flat])
        return (norms[:, None] + norms[None] - 2 * products).clamp_min(0).float()


def corners(pixels: Tensor) -> list[Tensor]:
    """The four quarters of a picture."""
    rows, columns = pixels.shape[2] // 2, pixels.shape[3] // 2
    return [pixels[:, :, r : r + rows, c : c + columns] for r in (0, rows) for c in (0, columns)]


def student_weights(checkpoint: Path) -> tuple[Weights, dict[str, Tensor]]:
    """The student of a run, rounded to float16, and A·unit for each ReLU tap (teacher ≈ A·student)."""
    if checkpoint.suffix == ".safetensors":
        state = load_file(checkpoint)
        tensors = {f"conv{name[2:]}": value for name, value in state.items() if name.startswith("c.")}
        matrices = {
            f"relu{name[2:5]}": value[:, :, 0, 0] * state[f"scale.{name[2:5]}"]
            for name, value in state.items()
            if name.startswith("a.")
        }
    else:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        tensors = {name: value.detach() for name, value in state["student"].items()}
        matrices = {name: value.detach() * state["unit"][name] for name, value in state["matrices"].items()}
    rounded = {name: value.half().float() for name, value in tensors.items()}
    made = Weights(network=NETWORK, tensors=rounded, convention=LITE, sha256="", path=checkpoint, source="distilled")
    return made, matrices


def observe(networks: dict[str, VGG], sources: Sequence[Tensor], *, traces: bool) -> dict[str, Observations]:
    """Run a network, one for each pooling, over the pictures; keep second moments, or only their traces."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {tap: [] for tap in TAPS}
    for index, picture in enumerate(sources):
        other = images.resize(sources[index - 1], (picture.shape[2], picture.shape[3]))
        network = networks[POOLINGS[index // 2 % 2]]
        with torch.no_grad():
            seen = network(torch.cat([picture, other]), TAPS)
        for tap, activation in seen.items():
            difference = activation[:1].float() - activation[1:].float()
            second = difference.square().sum(1).mean() if traces else gram_matrix(difference)[0]
            found[tap].append((gram_matrix(activation[:1])[0], second))
        if index % 50 == 0:
            print(f"{network.network}: {index} of {len(sources)} pictures", flush=True)
    return {tap: Observations(*(torch.stack(part) for part in zip(*found.pop(tap), strict=True))) for tap in TAPS}


def truths(teacher: Weights, sources: Sequence[Tensor], cache: Path | None) -> dict[str, tuple[Tensor, Tensor]]:
    """The teacher's Gram distances and content distances at each tap, kept in `cache` for the next time."""
    if cache and cache.exists():
        kept: dict[str, tuple[Tensor, Tensor]] = torch.load(cache, weights_only=True)
        return kept
    dtype = machine.fastest_dtype(torch.device("cpu"))
    networks = {pooling: VGG(teacher, pooling=pooling, dtype=dtype) for pooling in POOLINGS}
    found = {tap: (each.distances(), each.second) for tap, each in observe(networks, sources, traces=True).items()}
    if cache:
        torch.save(found, cache)
    return found


def least_squares(
    student: Weights, teacher: Weights, sources: Sequence[Tensor], taps: Sequence[str]
) -> dict[str, Tensor]:
    """A for each of `taps`: teacher ≈ A·student over all positions of the pictures, ridge 1e-4."""
    ours, theirs = VGG(student, pooling="avg"), VGG(teacher, pooling="avg")
    products: dict[str, list[Tensor]] = {}
    for picture in sources:
        with torch.no_grad():
            a, b = ours(picture, taps), theirs(picture, taps)
        for tap in taps:
            s, t = a[tap][0].flatten(1).double(), b[tap][0].flatten(1).double()
            update = (s @ s.T, t @ s.T)
            products[tap] = (
                [p + u for p, u in zip(products[tap], update, strict=True)] if tap in products else list(update)
            )
    fitted = {}
    for tap, (ss, ts) in products.items():
        ridge = 1e-4 * ss.diagonal().mean() * torch.eye(len(ss), dtype=ss.dtype)
        fitted[tap] = torch.linalg.solve(ss + ridge, ts.T).T.float()
    return fitted


def root_of(matrix: Tensor) -> Tensor:
    """(AᵀA)^½, symmetric."""
    values, vectors = torch.linalg.eigh((matrix.T @ matrix).double())
    return (vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T).float()


def error(root: Tensor, seen: Observations, truth: tuple[Tensor, Tensor], pairs: Tensor, content: Tensor) -> Tensor:
    """The mean squared error of the logarithms of Gram distances at `pairs` and of content distances, a scalar."""
    difference = seen.grams[pairs[:, 0]] - seen.grams[pairs[:, 1]]
    metric = root.T @ root
    product = metric @ difference  # ‖L·ΔG·Lᵀ‖² = tr(M·ΔG·M·ΔG) with M = LᵀL
    squared = (product * product.transpose(1, 2)).sum((1, 2)).clamp_min(1e-20)
    gram = (0.5 * (squared.log() - truth[0][pairs[:, 0], pairs[:, 1]].log())).square().mean()
    traces = (metric * seen.second[content]).sum((1, 2)).clamp_min(1e-20)
    return gram + (0.5 * (traces.log() - truth[1][content].log())).square().mean()


def gram_distances(root: Tensor, seen: Observations) -> Tensor:
    """The squared Gram distances of all pictures to each other through L."""
    return Observations(root @ seen.grams @ root.T, seen.second).distances()


def fit(
    root: Tensor,
    seen: Observations,
    truth: tuple[Tensor, Tensor],
    paintings: Tensor,
    steps: int,
    generator: torch.Generator,
) -> tuple[Tensor, float, float]:
    """L for one tap, with its error on the pairs kept back, before and after; `paintings` tells which are."""
    count = len(seen.grams)
    every = torch.cartesian_prod(torch.arange(count), torch.arange(count))
    every = every[(every[:, 0] < every[:, 1]) & (truth[0][every[:, 0], every[:, 1]] > 0)]
    kept_back = torch.rand(count, generator=generator) < 1 / 6
    training, check = (every[mask] for mask in (~kept_back[every].any(1), kept_back[every].any(1)))
    check = check[paintings[check].any(1)]
    check = check[torch.randperm(len(check), generator=generator)[:1500]]
    likely = torch.where(paintings[training].any(1), 2.0, 1.0)
    valid = truth[1] > 0
    old, fresh = (torch.nonzero(mask & valid).flatten() for mask in (~kept_back, kept_back))

    def held_back(matrix: Tensor) -> float:
        with torch.no_grad():
            return float(error(matrix, seen, truth, check, fresh))

    before = held_back(root)
    with torch.no_grad():  # the right size first
        sizes = torch.stack([each[check[:, 0], check[:, 1]] for each in (gram_distances(root, seen), truth[0])])
        root = root * (sizes[1] / sizes[0]).median() ** 0.25
    matrix = root.clone().requires_grad_()
    lowest = held_back(root)
    best, rate = root, RATE * float(root.abs().max())
    optimizer = torch.optim.Adam([matrix], lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        pairs = training[torch.multinomial(likely, PAIRS_PER_STEP, replacement=True, generator=generator)]
        content = old[torch.randint(len(old), (PAIRS_PER_STEP,), generator=generator)]
        optimizer.zero_grad()
        leaving = (matrix - root).square().sum() / root.square().sum()
        (error(matrix, seen, truth, pairs, content) + STAY * leaving).backward()
        optimizer.step()
        if (step % 20 == 19 or step == steps - 1) and (now := held_back(matrix.detach())) < lowest:
            lowest, best = now, matrix.detach().clone()
    return best, before, lowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("run", type=Path, help="checkpoint.pt of a run")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("folders", type=Path, nargs="*", help="optimised pictures")
    parser.add_argument("--exclude", default="", help="names (without suffix) to hold out, by comma")
    parser.add_argument("--hold-out", type=int, default=74, help="last photographs to hold out")
    parser.add_argument("--count", type=int, default=260, help="photographs to look at")
    parser.add_argument("--recolor", type=int, default=2, help="versions of each painting in other colours")
    parser.add_argument("--steps", type=int, default=400, help="of Adam, for each tap")
    parser.add_argument("--cache", type=Path, help="where the teacher's distances are kept between runs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    machine.keep_memory()
    generator = torch.Generator().manual_seed(0)
    photographs = pictures(options.photographs)[: -options.hold_out]
    photographs = [photographs[i] for i in torch.randperm(len(photographs), generator=generator)[: options.count]]
    excluded = options.exclude.split(",")
    paintings = [path for path in pictures(options.paintings) if path.stem not in excluded]
    optimised = [path for folder in options.folders for path in pictures(folder)]
    optimised = [optimised[i] for i in torch.randperm(len(optimised), generator=generator)[: options.count // 4]]
    plain = [shrunk(path) for path in photographs + optimised]
    art = [shrunk(path, side) for path in paintings for side in (192, 256, 384)]
    art += [corner for path in paintings for corner in corners(shrunk(path, 512))]
    draw = np.random.default_rng(0)
    art += [recoloured(each, draw) for _ in range(options.recolor) for each in art]
    kinds = torch.tensor([False] * len(plain) + [True] * len(art))
    order = torch.randperm(len(kinds), generator=generator)
    sources = [(plain + art)[i] for i in order]
    student, matrices = student_weights(options.run)
    teacher = read(options.teacher, network="vgg19")
    matrices |= least_squares(student, teacher, sources[:60], CONVOLUTIONS)
    truth = truths(teacher, sources, options.cache)
    networks = {pooling: VGG(student, pooling=pooling) for pooling in POOLINGS}
    seen = observe(networks, sources, traces=False)
    calibration = {}
    for tap in TAPS:
        matrix, before, after = fit(
            root_of(matrices[tap]), seen[tap], truth[tap], kinds[order], options.steps, generator
        )
        calibration[tap] = matrix.half().float()
        print(f"{tap}: error of distances kept back {before**0.5:.3f} -> {after**0.5:.3f}", flush=True)
    made = Weights(
        network=NETWORK,
        tensors=student.tensors,
        convention=LITE,
        sha256="",
        path=options.out,
        source="distilled",
        calibration=calibration,
    )
    write(made, options.out)
    print(f"wrote {options.out}, {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
