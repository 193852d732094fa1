"""Keep of the calibration what holds on pictures it has not seen: the last step of making vgg19-lite.

    python training/settle.py TEACHER.safetensors RUN CALIBRATED.safetensors PHOTOGRAPHS PAINTINGS --out FILE

`calibrate.py` fits a matrix L to some hundred pictures; on quite other paintings the matrix that it began from can
rank distances better. For every tap the mixture of the two is taken that ranks held-out
photographs against held-out paintings most as VGG-19 does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Tensor

from agreement import TAPS, distances, grams, pictures, shrunk
from calibrate import begun
from gramarye import images, machine
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG
from gramarye.weights import read, write


@dataclass
class Check:
    """Held-out photographs against held-out paintings at one tap, as a network sees them.

    Gram matrices of both, and the second moments (or traces) of each photograph's difference from each painting.
    """

    photographs: Tensor
    paintings: Tensor
    second: Tensor


def check(
    network: VGG, photographs: Sequence[Tensor], paintings: Sequence[Tensor], *, traces: bool
) -> dict[str, Check]:
    """Run a network over all pairs of held-out pictures."""
    ours, theirs = (grams(network, each, TAPS) for each in (photographs, paintings))
    second: dict[str, list[Tensor]] = {tap: [] for tap in TAPS}
    for photograph in photographs:
        for painting in paintings:
            other = images.resize(painting, (photograph.shape[2], photograph.shape[3]))
            with torch.no_grad():
                seen = network(torch.cat([photograph, other]), TAPS)
            for tap, activation in seen.items():
                difference = activation[:1].float() - activation[1:].float()
                second[tap].append(difference.square().sum(1).mean() if traces else gram_matrix(difference)[0])
    return {tap: Check(ours[tap], theirs[tap], torch.stack(second[tap])) for tap in TAPS}


def settle(start: Tensor, fitted: Tensor, ours: Check, theirs: Check) -> tuple[Tensor, float]:
    """The mixture of the two matrices that ranks held-out pairs most as the teacher does, and the fitted one's share.

    The share is a half or more, in eighths: the held-out pairs are few. The rank correlations (Spearman) of Gram
    and of content distances count alike. Before and after, the median Gram distance is brought to the teacher's.
    """
    truth = distances(theirs.photographs, theirs.paintings).flatten()

    def seen(root: Tensor) -> Tensor:
        return distances(root @ ours.photographs @ root.T, root @ ours.paintings @ root.T).flatten()

    def score(root: Tensor) -> float:
        content = ((root.T @ root) * ours.second).sum((1, 2))
        return float(spearmanr(seen(root), truth)[0] + spearmanr(content, theirs.second)[0])

    def sized(root: Tensor) -> Tensor:
        return root * float((truth / seen(root)).median()) ** 0.5

    start = sized(start)
    mixtures = [(sized(start * (1 - share) + fitted * share), share) for share in (k / 8 for k in range(4, 9))]
    return max(mixtures, key=lambda pair: score(pair[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("run", type=Path, help="checkpoint.pt of the run, or the file, that was calibrated")
    parser.add_argument("calibrated", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("paintings", type=Path)
    parser.add_argument("--only", default="", help="the held-out paintings (names without suffix, by comma)")
    parser.add_argument("--last", type=int, default=30, help="the last photographs, held out")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    machine.keep_memory()
    photographs = [shrunk(path) for path in pictures(options.photographs)[-options.last :]]
    paintings = [shrunk(path) for path in pictures(options.paintings, filter(None, options.only.split(",")))]
    teacher, fitted = read(options.teacher, network="vgg19"), read(options.calibrated)
    student, roots = begun(options.run, teacher, photographs)
    ours = check(VGG(student, pooling="avg"), photographs, paintings, traces=False)
    dtype = machine.fastest_dtype(torch.device("cpu"))
    theirs = check(VGG(teacher, pooling="avg", dtype=dtype), photographs, paintings, traces=True)
    calibration = {}
    for tap in TAPS:
        matrix, share = settle(roots[tap], fitted.calibration[tap], ours[tap], theirs[tap])
        calibration[tap] = matrix.half().float()
        print(f"{tap}: {share:.3f} of the fitted matrix", flush=True)
    write(replace(fitted, calibration=calibration, source="distilled"), options.out)
    print(f"wrote {options.out}, {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
