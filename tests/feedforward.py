"""Small feed-forward painters for tests: not trained, but each does something."""

from __future__ import annotations

from pathlib import Path

import torch

from gramarye import demo
from gramarye.fast import any_style, stored
from gramarye.fast.any_style import AnyStyle
from gramarye.fast.painter import Normalisation, Painter
from networks import picture

STYLES = tuple(path.stem for path in demo.styles())
CARD = {"trained": "not at all", "held out": {"total": 0.5}}


def many(styles: tuple[str, ...] = STYLES, seed: int = 0) -> Painter:
    """A painter whose parameters are all other than at the beginning."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        painter = Painter(styles, width=16, blocks=1, last=8, coarse=12)
        for parameter in painter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return painter.eval()


def anything(seed: int = 0) -> AnyStyle:
    """With a decoder that is not trained, but does something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        painter = AnyStyle(any_style.encoder()).eval()
        for layer in painter.modules():
            if isinstance(layer, Normalisation):
                torch.nn.init.normal_(layer.offset, std=0.02)
        for weight in (painter.leave.weight, painter.up.weight):
            torch.nn.init.normal_(weight, std=0.02)
    painter.measure([picture(64, 72, seed) for seed in range(1, 9)])
    return painter


def write_both(folder: Path) -> Path:
    """A folder as the package has it, with a painter of either kind."""
    stored.save(folder / "fast-many.safetensors", many(), CARD)
    stored.save(folder / "fast-any.safetensors", anything(), CARD)
    return folder
