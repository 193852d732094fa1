"""How well vgg19-lite sees as VGG-19 sees: rank correlations and sizes of their distances.

    python training/agreement.py TEACHER.safetensors PHOTOGRAPHS PAINTINGS [--lite FILE] [--json]

For every (photograph, painting) pair of two folders, the Gram distance ‖G − A‖ at each ReLU tap and in
total (each layer relative to its median, then added), and the content distance ‖F − P‖ at relu4_2 between
the photograph and the painting at the photograph's size, are computed with both networks. Printed: Spearman's
rank correlation over the pairs, and the median ratio lite ÷ full.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Tensor

from gramarye import images, layers, machine
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.weights import embedded, read

TAPS = tuple(name for name in layers.table("vgg19-lite") if name.startswith(("conv", "relu")))
CONTENT_TAP = "relu4_2"
SIDE = 256


@dataclass(frozen=True)
class Agreement:
    """Over `pairs` pairs: rank correlation and median size ratio by name of tap, "total" and "content"."""

    pairs: int
    correlation: dict[str, float]
    size: dict[str, float]


def pictures(folder: Path, names: Iterable[str] = ()) -> list[Path]:
    """The pictures of a folder, or those of them that are named (without suffix)."""
    wanted = frozenset(names)
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in {".jpg", ".png"}]
    return [path for path in found if not wanted or path.stem in wanted]


def shrunk(path: Path, side: int = SIDE) -> Tensor:
    """A picture, 1 3 H W, with `side` as its long side at most."""
    pixels = images.load(path).pixels
    size = (pixels.shape[2], pixels.shape[3])
    return images.resize(pixels, images.fitted_size(size, min(side, max(size))))


def grams(network: VGG, pixels: Iterable[Tensor], taps: Sequence[str]) -> dict[str, Tensor]:
    """The Gram matrices of some pictures at each tap: pictures channels channels."""
    found: dict[str, list[Tensor]] = {tap: [] for tap in taps}
    with torch.no_grad():
        for each in pixels:
            for tap, activation in network(each, taps).items():
                found[tap].append(gram_matrix(activation))
    return {tap: torch.cat(matrices) for tap, matrices in found.items()}


def distances(ours: Tensor, theirs: Tensor) -> Tensor:
    """‖G_i − A_j‖ for two stacks of Gram matrices: i j."""
    a, b = ours.flatten(1).double(), theirs.flatten(1).double()
    squared = a.square().sum(1)[:, None] + b.square().sum(1)[None] - 2 * a @ b.T
    return squared.clamp_min(0).sqrt()


def content_distances(network: VGG, photographs: Sequence[Tensor], paintings: Sequence[Tensor]) -> Tensor:
    """‖F − P‖ at relu4_2 between each photograph and each painting at the photograph's size: i j."""
    rows = []
    with torch.no_grad():
        for photograph in photographs:
            target = network(photograph, [CONTENT_TAP])[CONTENT_TAP]
            size = (photograph.shape[2], photograph.shape[3])
            resized = torch.cat([images.resize(painting, size) for painting in paintings])
            found = network(resized, [CONTENT_TAP])[CONTENT_TAP]
            rows.append((found - target).flatten(1).double().norm(dim=1))
    return torch.stack(rows)


def style_table(network: VGG, photographs: Sequence[Tensor], paintings: Sequence[Tensor]) -> dict[str, Tensor]:
    """Style distances at every ReLU tap, i j, and their "total" over Gatys' five layers."""
    taps = [tap for tap in TAPS if tap.startswith("relu")]
    ours, theirs = grams(network, photographs, taps), grams(network, paintings, taps)
    return {tap: distances(ours[tap], theirs[tap]) for tap in taps}


def total(table: dict[str, Tensor], scale: dict[str, float]) -> Tensor:
    """The sum over Gatys' five layers of the squared distances, each in units of `scale`."""
    return torch.stack([(table[tap] / scale[tap]).square() for tap in layers.STYLE_LAYERS]).sum(0)


def compare(lite: VGG, full: VGG, photographs: Sequence[Tensor], paintings: Sequence[Tensor]) -> Agreement:
    """The agreement of two networks over all pairs."""
    ours, theirs = style_table(lite, photographs, paintings), style_table(full, photographs, paintings)
    unit = {tap: float(theirs[tap].median()) for tap in theirs}
    ours["total"], theirs["total"] = total(ours, unit), total(theirs, unit)
    ours["content"] = content_distances(lite, photographs, paintings)
    theirs["content"] = content_distances(full, photographs, paintings)
    correlation = {tap: float(spearmanr(ours[tap].flatten(), theirs[tap].flatten())[0]) for tap in ours}
    size = {tap: float((ours[tap] / theirs[tap].clamp_min(1e-12)).median()) for tap in ours}
    return Agreement(len(photographs) * len(paintings), correlation, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("--lite", type=Path, default=embedded())
    parser.add_argument("--last", type=int, default=0, help="only the last so many photographs")
    parser.add_argument("--only", default="", help="only these paintings (names without suffix, by comma)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    machine.keep_memory()
    photographs = [shrunk(path) for path in pictures(options.photographs)[-options.last :]]
    paintings = [shrunk(path) for path in pictures(options.paintings, filter(None, options.only.split(",")))]
    lite, full = (VGG(read(path), pooling="avg") for path in (options.lite, options.teacher))
    found = compare(lite, full, photographs, paintings)
    if options.json:
        print(json.dumps(found.__dict__))
        return
    print(f"{found.pairs} pairs: {options.photographs} × {options.paintings}")
    for tap, correlation in found.correlation.items():
        print(f"{tap:10} rank correlation {correlation:.4f}   size {found.size[tap]:.3f}")


if __name__ == "__main__":
    main()
