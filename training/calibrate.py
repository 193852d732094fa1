"""Turn a distillation run into the file that is shipped: calibrate every tap, round, and write.

    python training/calibrate.py TEACHER.safetensors RUN PHOTOGRAPHS PAINTINGS [FOLDER…] --out FILE

The student's activation s at a tap is multiplied by a square matrix L, so that distances between calibrated
activations approximate VGG-19's. L begins as M^½ with M = AᵀA, where A is the run's 1×1 matrix from student
to teacher (for convolution taps, fitted here by least squares); it is then fitted by Adam to

    Σ over pairs (ln ‖L·(Gs−Gs′)·Lᵀ‖ − ln ‖Gt−Gt′‖)²  +  Σ (½·ln tr(L·D·Lᵀ) − ½·ln Σ(t−t′)²/M)²

Gs, Gt: Gram matrices of student and teacher; the pairs are of a picture and a painting, or of two pictures.
D: second moment of the student's difference s − s′ between two pictures at the same positions (content
distance). Pictures are those of training, plus optimised ones (FOLDER), whose distances are small. One in
six pictures is kept back, and the L with the lowest error on their pairs is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from agreement import TAPS, pictures, shrunk
from gramarye import images, machine
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.weights import LITE, Weights, read, write

NETWORK = "vgg19-lite"
POOLINGS = ("avg", "max")
STEPS, PAIRS_PER_STEP, RATE = 400, 256, 3e-3


@dataclass
class Observations:
    """What both networks make of some pictures at one tap, one entry a picture (or a pair for content)."""

    student: Tensor  # pictures C' C', Gram matrices
    teacher: Tensor  # pictures C C
    moments: Tensor  # pairs C' C', second moments of the student's difference
    apart: Tensor  # pairs, the teacher's squared difference per position


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


def observe(student: Weights, teacher: Weights, sources: Sequence[Tensor]) -> dict[str, Observations]:
    """Run both networks over the pictures, with a pooling by turns; neighbours in the list make content pairs.

    The second of a content pair is resized to the first one's size.
    """
    ours = {pooling: VGG(student, pooling=pooling) for pooling in POOLINGS}
    theirs = {pooling: VGG(teacher, pooling=pooling) for pooling in POOLINGS}
    found: dict[str, list[tuple[Tensor, ...]]] = {tap: [] for tap in TAPS}
    for index, picture in enumerate(sources):
        other = images.resize(sources[index - 1], (picture.shape[2], picture.shape[3]))
        pooling = POOLINGS[index // 2 % 2]
        with torch.no_grad():
            a, b = (
                ours[pooling](torch.cat([picture, other]), TAPS),
                theirs[pooling](torch.cat([picture, other]), TAPS),
            )
        for tap in TAPS:
            difference = a[tap][:1] - a[tap][1:]
            apart = (b[tap][0] - b[tap][1]).square().sum(0).mean()
            row = (gram_matrix(a[tap][:1])[0], gram_matrix(b[tap][:1])[0], gram_matrix(difference)[0], apart)
            found[tap].append(row)
        if index % 50 == 0:
            print(f"observed {index} of {len(sources)}", flush=True)
    return {
        tap: Observations(*(torch.stack(column) for column in zip(*rows, strict=True))) for tap, rows in found.items()
    }


def least_squares(student: Weights, teacher: Weights, sources: Sequence[Tensor]) -> dict[str, Tensor]:
    """A for the convolution taps: teacher ≈ A·student over all positions of the pictures, ridge 1e-4."""
    ours, theirs = VGG(student, pooling="avg"), VGG(teacher, pooling="avg")
    taps = [tap for tap in TAPS if tap.startswith("conv")]
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


def error(root: Tensor, seen: Observations, pairs: Tensor, content: Tensor, truth: Tensor) -> Tensor:
    """The mean squared error of the logarithms of Gram and content distances, a scalar."""
    difference = seen.student[pairs[:, 0]] - seen.student[pairs[:, 1]]
    ours = (root @ difference @ root.T).square().sum((1, 2)).clamp_min(1e-20)
    gram = (0.5 * (ours.log() - truth.log())).square().mean()
    squares = (root @ seen.moments[content] * root).sum((1, 2)).clamp_min(1e-20)
    return gram + (0.5 * (squares.log() - seen.apart[content].log())).square().mean()


def fit(root: Tensor, seen: Observations, kinds: Tensor, generator: torch.Generator) -> tuple[Tensor, float, float]:
    """L for one tap, with its error on the pairs kept back before and after; `kinds` tells paintings (1)."""
    count = len(seen.student)
    flat = seen.teacher.flatten(1).double()
    norms = flat.square().sum(1)
    table = (norms[:, None] + norms[None] - 2 * flat @ flat.T).float()
    every = torch.cartesian_prod(torch.arange(count), torch.arange(count))
    every = every[(every[:, 0] < every[:, 1]) & (table[every[:, 0], every[:, 1]] > 0)]
    backs = torch.rand(count, generator=generator) < 1 / 6
    painting = kinds[every].any(1)
    kept_back = every[backs[every].any(1) & painting]
    training = every[~backs[every].any(1)]
    likely = torch.where(painting[~backs[every].any(1)], 4.0, 1.0)
    fresh, old = (torch.nonzero(mask & (seen.apart > 0)).flatten() for mask in (backs, ~backs))
    check = kept_back[torch.randperm(len(kept_back), generator=generator)[:1500]]

    def held_back(matrix: Tensor) -> float:
        with torch.no_grad():
            return float(error(matrix, seen, check, fresh, table[check[:, 0], check[:, 1]]))

    scaled = root.clone().requires_grad_()
    before = lowest = held_back(root)
    best = root
    optimizer = torch.optim.Adam([scaled], lr=RATE * float(root.abs().max()))
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * float(root.abs().max()) * (1 - step / STEPS)
        chosen = training[torch.multinomial(likely, PAIRS_PER_STEP, generator=generator)]
        content = old[torch.randint(len(old), (PAIRS_PER_STEP,), generator=generator)]
        loss = error(scaled, seen, chosen, content, table[chosen[:, 0], chosen[:, 1]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 19 and (now := held_back(scaled.detach())) < lowest:
            lowest, best = now, scaled.detach().clone()
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
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    machine.keep_memory()
    generator = torch.Generator().manual_seed(0)
    photographs = pictures(options.photographs)[: -options.hold_out]
    photographs = [photographs[i] for i in torch.randperm(len(photographs), generator=generator)[: options.count]]
    excluded = options.exclude.split(",")
    paintings = [path for path in pictures(options.paintings) if path.stem not in excluded]
    optimised = [path for folder in options.folders for path in pictures(folder)]
    optimised = [optimised[i] for i in torch.randperm(len(optimised), generator=generator)[: options.count // 2]]
    plain = [shrunk(path) for path in photographs + optimised]
    art = [shrunk(path, side) for path in paintings for side in (192, 256, 384)]
    kinds = torch.tensor([False] * len(plain) + [True] * len(art))
    order = torch.randperm(len(kinds), generator=generator)
    sources = [(plain + art)[i] for i in order]
    student, matrices = student_weights(options.run)
    teacher = read(options.teacher, network="vgg19")
    matrices |= least_squares(student, teacher, sources[:60])
    seen = observe(student, teacher, sources)
    calibration = {}
    for tap in TAPS:
        matrix, before, after = fit(root_of(matrices[tap]), seen[tap], kinds[order], generator)
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
