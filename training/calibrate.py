"""Turn a distillation run into the file that is shipped: calibrate every tap, round, and write.

    python training/calibrate.py TEACHER.safetensors RUN PHOTOGRAPHS PAINTINGS [FOLDER…] --out FILE

The student's activation s at a tap is multiplied by a square matrix L, so that distances between calibrated
activations approximate VGG-19's. L begins as M^½ with M = AᵀA, where A is the run's 1×1 matrix from student
to teacher (for convolution taps, fitted here by least squares), or as it is in an earlier file that is given as
RUN; it is then fitted by Adam to

    Σ over pairs (ln ‖L·(Gs−Gs′)·Lᵀ‖ − ln ‖Gt−Gt′‖)²  +  w·Σ (½·ln tr(L·D·Lᵀ) − ½·ln Σ(t−t′)²/M)²

Gs, Gt: Gram matrices of student and teacher; three of four pairs are of a photograph and a painting, the others of any
two pictures. D: second moment of the student's difference s − s′ between two pictures at the same positions (content
distance), whose weight w is 2 at relu4_2, where content is taken, and ½ elsewhere. Pictures are those of training,
parts of the paintings, half of them in other colours, and stylised ones (FOLDER). One in eight is kept
back, and its errors are told.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from agreement import CONTENT_TAP, TAPS, pictures, shrunk
from gramarye import images, machine
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.weights import LITE, Weights, read, write
from recolouring import recoloured

NETWORK = "vgg19-lite"
CONVOLUTIONS = [tap for tap in TAPS if tap.startswith("conv")]
POOLINGS = ("avg", "max")
PHOTOGRAPHS, PARTS = (192, 256, 256, 256, 320), (160, 192, 256, 256, 320)  # px, sides that are drawn from
PAINTING, LEAST = 640, 64  # px, long side of which parts are cut, and a part's least side
PAIRS_PER_STEP, CONTENT_PER_STEP, RATE = 256, 128, 1e-3
STAY = 0.01  # weight of the penalty on leaving the start, ‖L − L₀‖²/‖L₀‖²
LARGEST = 100.0  # of the first picture's Gram matrix in float16
KEPT_BACK, CHECKED = 8, 1000  # every so manieth picture, and pairs of them
ALIKE = 1e-4  # of the median distance: nearer pictures are the same one


@dataclass
class Observations:
    """What both networks make of some pictures at one tap, with a pooling by turns.

    `grams`: the student's, pictures C C. `second`: the second moments C C over positions of the student's difference
    between each picture and the one before it in the list (resized to it). `distances`, pictures pictures, and
    `content`, pictures: the teacher's squared Gram distances, and the traces of its second moments.
    """

    grams: Tensor
    second: Tensor
    distances: Tensor
    content: Tensor


@dataclass
class Source:
    """A picture to calibrate with, 1 3 H W; whether it is (part of) a painting."""

    pixels: Tensor
    painting: bool = False


def photographs(paths: Sequence[Path], draw: np.random.Generator) -> Iterator[Source]:
    """Photographs at several sizes."""
    for path in paths:
        yield Source(shrunk(path, int(draw.choice(PHOTOGRAPHS))))


def parts(paths: Sequence[Path], count: int, draw: np.random.Generator) -> Iterator[Source]:
    """So many parts of each painting, at several sizes, some turned round, every other one in other colours."""
    paintings = [shrunk(path, PAINTING) for path in paths]
    for number in range(count):
        for pixels in paintings:
            side = int(draw.choice(PARTS))
            scale = min(1.0, side / max(pixels.shape[2:]) * float(draw.uniform(1, 3)))
            size = [max(LEAST, round(each * scale)) for each in pixels.shape[2:]]
            part = _cut(images.resize(pixels, (size[0], size[1])), side, draw)
            part = part.flip(3) if draw.random() < 0.5 else part
            yield Source(recoloured(part, draw) if number % 2 else part, painting=True)


def _cut(pixels: Tensor, side: int, draw: np.random.Generator) -> Tensor:
    height, width = (min(each, side) for each in pixels.shape[2:])
    row, column = (
        int(draw.integers(all_ - each + 1)) for all_, each in zip(pixels.shape[2:], (height, width), strict=True)
    )
    return pixels[:, :, row : row + height, column : column + width]


def student_weights(source: Path) -> tuple[Weights, dict[str, Tensor]]:
    """The student of a run, rounded to float16, and L to begin with for each ReLU tap; of an earlier file for all."""
    matrices: dict[str, Tensor] = {}
    if source.suffix == ".safetensors":
        state = load_file(source)
        if any(name.startswith("calibration.") for name in state):
            made = read(source)
            return replace(made, calibration={}), made.calibration
        tensors = {f"conv{name[2:]}": value for name, value in state.items() if name.startswith("c.")}
        matrices = {
            f"relu{name[2:5]}": value[:, :, 0, 0] * state[f"scale.{name[2:5]}"]
            for name, value in state.items()
            if name.startswith("a.")
        }
    else:
        state = torch.load(source, weights_only=True, map_location="cpu")
        tensors = {name: value.detach() for name, value in state["student"].items()}
        matrices = {name: value.detach() * state["unit"][name] for name, value in state["matrices"].items()}
    rounded = {name: value.half().float() for name, value in tensors.items()}
    made = Weights(network=NETWORK, tensors=rounded, convention=LITE, sha256="", path=source, source="distilled")
    return made, {name: root_of(matrix) for name, matrix in matrices.items()}


def begun(source: Path, teacher: Weights, sources: Sequence[Tensor]) -> tuple[Weights, dict[str, Tensor]]:
    """The student, and L to begin with for every tap; where there is none, it follows from some pictures."""
    student, roots = student_weights(source)
    missing = [tap for tap in TAPS if tap not in roots]
    fitted = least_squares(student, teacher, sources, missing) if missing else {}
    return student, roots | {tap: root_of(matrix) for tap, matrix in fitted.items()}


def observe(
    student: Weights, teacher: Weights, sources: Sequence[Source], taps: Sequence[str]
) -> dict[str, Observations]:
    """Show the pictures to both networks; the teacher's Gram matrices are float16 meanwhile."""
    dtype, count = machine.fastest_dtype(torch.device("cpu")), len(sources)
    theirs = {pooling: VGG(teacher, pooling=pooling, dtype=dtype) for pooling in POOLINGS}
    ours = {pooling: VGG(student, pooling=pooling) for pooling in POOLINGS}
    found: dict[str, Observations] = {}
    wide: dict[str, Tensor] = {}
    scale: dict[str, float] = {}
    for index, source in enumerate(sources):
        pixels, pooling = source.pixels, POOLINGS[index // 2 % 2]
        other = images.resize(sources[index - 1].pixels, (pixels.shape[2], pixels.shape[3]))
        with torch.no_grad():
            seen, truth = (each[pooling](torch.cat([pixels, other]), taps) for each in (ours, theirs))
        for tap in taps:
            gram, true = (gram_matrix(each[tap][:1].float())[0] for each in (seen, truth))
            if tap not in found:
                square, scale[tap] = torch.zeros(count, *gram.shape), float(true.abs().max()) / LARGEST
                wide[tap] = torch.zeros(count, *true.shape, dtype=torch.float16)
                found[tap] = Observations(square, square.clone(), torch.zeros(0), torch.zeros(count))
            kept, difference = found[tap], truth[tap][0].float() - truth[tap][1].float()
            wide[tap][index], kept.grams[index] = (true / scale[tap]).half(), gram
            kept.second[index] = gram_matrix(seen[tap][:1].float() - seen[tap][1:].float())[0]
            kept.content[index] = difference.square().sum(0).mean()
        if index % 100 == 0:
            print(f"{index} of {count} pictures", flush=True)
    for tap in taps:
        found[tap].distances = squared_distances(wide.pop(tap)) * scale[tap] ** 2
    return found


def squared_distances(grams: Tensor, rows: int = 256) -> Tensor:
    """‖G − G′‖² for all pairs of a stack of matrices, whatever its precision: pictures pictures."""
    flat = grams.flatten(1)
    norms = torch.stack([row.double().square().sum() for row in flat])
    products = torch.cat(
        [torch.cat([a.float() @ b.float().T for b in flat.split(rows)], 1) for a in flat.split(rows)]
    ).double()
    return (norms[:, None] + norms[None] - 2 * products).clamp_min(0).float()


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


def errors(root: Tensor, seen: Observations, pairs: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
    """The errors of the logarithms of Gram distances at `pairs`, and of content distances."""
    difference = seen.grams[pairs[:, 0]] - seen.grams[pairs[:, 1]]
    metric = root.T @ root
    product = metric @ difference  # ‖L·ΔG·Lᵀ‖² = tr(M·ΔG·M·ΔG) with M = LᵀL
    squared = (product * product.transpose(1, 2)).sum((1, 2)).clamp_min(1e-20)
    traces = (metric * seen.second[content]).sum((1, 2)).clamp_min(1e-20)
    gram = 0.5 * (squared.log() - seen.distances[pairs[:, 0], pairs[:, 1]].log())
    return gram, 0.5 * (traces.log() - seen.content[content].log())


@dataclass
class Pool:
    """Pictures to draw pairs from, by their places in the list."""

    seen: Observations
    places: Tensor
    paintings: Tensor  # of all pictures, whether they are
    generator: torch.Generator

    def pairs(self, count: int) -> Tensor:
        """Three of four of a photograph and a painting, the others of any two: pairs 2; none of the same picture."""
        most = count * 3 // 4
        kinds = [self.places[mask[self.places]] for mask in (~self.paintings, self.paintings)]
        drawn = [torch.stack([self._some(each, most) for each in kinds], 1)]
        drawn += [torch.stack([self._some(self.places, count - most) for _ in range(2)], 1)]
        found = torch.cat(drawn)
        far = self.seen.distances[found[:, 0], found[:, 1]] > ALIKE * self.seen.distances.median()
        return found[far]

    def contents(self, count: int) -> Tensor:
        """Pictures that differ from the one before."""
        found = self._some(self.places, count)
        return found[self.seen.content[found] > 0]

    def _some(self, places: Tensor, count: int) -> Tensor:
        return places[torch.randint(len(places), (count,), generator=self.generator)]


def fit(
    tap: str, root: Tensor, seen: Observations, paintings: Tensor, steps: int, generator: torch.Generator
) -> Tensor:
    """L for one tap, from `root` on; `paintings` tells which pictures are. Says what becomes of errors kept back."""
    kept_back = torch.zeros_like(paintings)
    for kind in (paintings, ~paintings):
        kept_back[torch.nonzero(kind).flatten()[::KEPT_BACK]] = True
    training, check = (
        Pool(seen, torch.nonzero(mask).flatten(), paintings, generator) for mask in (~kept_back, kept_back)
    )
    checked = check.pairs(CHECKED), check.contents(CHECKED)

    def held_back(matrix: Tensor) -> str:
        with torch.no_grad():
            parts = zip(checked[0].split(500), checked[1].split(500), strict=False)
            found = zip(*(errors(matrix, seen, *part) for part in parts), strict=True)
            return " and ".join(f"{float(torch.cat(each).std()):.4f}" for each in found)

    matrix, rate = root.clone().requires_grad_(), RATE * float(root.abs().max())
    before, weight = held_back(root), 2.0 if tap == CONTENT_TAP else 0.5
    optimizer = torch.optim.Adam([matrix], lr=rate)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        gram, content = errors(matrix, seen, training.pairs(PAIRS_PER_STEP), training.contents(CONTENT_PER_STEP))
        leaving = (matrix - root).square().sum() / root.square().sum()
        optimizer.zero_grad()
        (gram.square().mean() + weight * content.square().mean() + STAY * leaving).backward()
        optimizer.step()
    found = matrix.detach()
    print(f"{tap}: deviation of Gram and content distances kept back {before} -> {held_back(found)}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("run", type=Path, help="checkpoint.pt of a run, or an earlier file")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("folders", type=Path, nargs="*", help="stylised pictures")
    parser.add_argument("--exclude", default="", help="names (without suffix) to hold out, by comma")
    parser.add_argument("--hold-out", type=int, default=74, help="last photographs to hold out")
    parser.add_argument("--parts", type=int, default=60, help="of each painting")
    parser.add_argument("--steps", type=int, default=1200, help="of Adam, for each tap")
    parser.add_argument("--taps", default="", help="how their names begin; others stay as they begin")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    machine.keep_memory()
    generator, draw = torch.Generator().manual_seed(1), np.random.default_rng(1)
    excluded = options.exclude.split(",")
    paintings = [path for path in pictures(options.paintings) if path.stem not in excluded]
    sources = [
        *photographs(pictures(options.photographs)[: -options.hold_out], draw),
        *parts(paintings, options.parts, draw),
        *(Source(shrunk(path)) for folder in options.folders for path in pictures(folder)),
    ]
    sources = [sources[place] for place in torch.randperm(len(sources), generator=generator)]
    teacher = read(options.teacher, network="vgg19")
    student, calibration = begun(options.run, teacher, [each.pixels for each in sources[:60]])
    taps = [tap for tap in TAPS if tap.startswith(options.taps)]
    seen = observe(student, teacher, sources, taps)
    kinds = torch.tensor([each.painting for each in sources])
    for tap in taps:
        calibration[tap] = fit(tap, calibration[tap], seen.pop(tap), kinds, options.steps, generator)
    made = Weights(
        network=NETWORK,
        tensors=student.tensors,
        convention=LITE,
        sha256="",
        path=options.out,
        source="distilled",
        calibration={tap: matrix.half().float() for tap, matrix in calibration.items()},
    )
    write(made, options.out)
    print(f"wrote {options.out}, {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
