"""An optimiser for convolutions, whose steps turn every direction of a filter bank equally far.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks": the mean of the gradients, as a matrix
of one row for each filter, is replaced by the nearest orthogonal one, so that rare directions are learned as fast as
strong ones. PyTorch's own, since 2.9, takes matrices alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # a, b, c of X ← aX + bXXᵀX + c(XXᵀ)²X: Jordan's, quick for small values
ITERATIONS = 5
LIKE_ADAM = (
    0.2  # root mean square of Adam's steps at rate 1, to which they are scaled (Liu et al. 2025, arXiv:2502.16982)
)

Matrix = Float[Tensor, "rows columns"]


class Muon(torch.optim.Optimizer):
    """For parameters of two or more dimensions: w ← w − rate·LIKE_ADAM·√max(rows, columns)·orthogonal(g + momentum)."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Make one step along the gradients that are there; `closure` is not called."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.sub_(self._update(weight), alpha=group["lr"])

    def _update(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        mean = state.setdefault("mean", torch.zeros_like(weight))
        mean.lerp_(weight.grad, 1 - MOMENTUM)
        ahead = torch.lerp(weight.grad, mean, MOMENTUM)  # type: ignore[arg-type]  # Nesterov's
        matrix = ahead.flatten(1)
        update: Tensor = orthogonal(matrix).view(ahead.shape) * (LIKE_ADAM * max(matrix.shape) ** 0.5)
        return update


def orthogonal(matrix: Matrix) -> Matrix:
    """UVᵀ of a matrix UΣVᵀ, roughly: its singular values lie between 0.7 and 1.2, but for those near zero."""
    tall = matrix.shape[0] > matrix.shape[1]
    found: Tensor = matrix.T if tall else matrix
    found = found / found.norm().clamp_min(1e-12)
    first, third, fifth = NEWTON_SCHULZ
    for _ in range(ITERATIONS):
        square = found @ found.T
        found = first * found + (third * square + fifth * square @ square) @ found
    return found.T if tall else found
