"""An order of channels in which structure shows, and matrices small enough to be seen."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

BINS = 64  # rows and columns of a matrix that is shown, at most

Matrix = Float[Tensor, "channels channels"]
Order = Int[Tensor, " channels"]


def cosines(gram: Matrix) -> Matrix:
    """G_ij/√(G_ii·G_jj), from −1 to 1: how much two channels fire together, however loud; 0 for silent ones."""
    size = gram.diagonal().clamp_min(0).sqrt()
    loud = size > 1e-6 * size.max()
    inverse = torch.where(loud, 1 / size.clamp_min(1e-30), 0.0)
    return (gram * inverse[:, None] * inverse[None, :]).clamp(-1, 1)


def seriated(similarity: Matrix) -> Order:
    """An order of the rows in which similar ones stand together; `similarity` is symmetric.

    The leaves of a hierarchical clustering with average linkage (Sokal and Michener 1958): again and again the two
    most similar groups are joined, at those of their ends that are most alike, as Gruvaeus and Wainer 1972
    turn the branches. Differs from the Fiedler vector, the other usual choice, in that a few odd channels do not
    decide the order of all the others.
    """
    table = similarity.detach().double().cpu().clone()
    table.fill_diagonal_(-torch.inf)
    ends = table.clone().fill_diagonal_(1)
    count = len(table)
    chains = {index: [index] for index in range(count)}
    for _ in range(count - 1):
        one, other = divmod(int(table.argmax()), count)
        sizes = len(chains[one]), len(chains[other])
        mean = (sizes[0] * table[one] + sizes[1] * table[other]) / sum(sizes)
        chains[one] = _joined(chains[one], chains.pop(other), ends)
        mean[one] = -torch.inf
        table[one], table[:, one] = mean, mean
        table[other], table[:, other] = -torch.inf, -torch.inf
    return torch.tensor(next(iter(chains.values())))


def binned(matrix: Matrix, bins: int = BINS) -> Float[Tensor, "1 1 rows columns"]:
    """The matrix averaged in blocks to at most `bins` rows and columns, 1 1 b b."""
    side = min(bins, len(matrix))
    return F.adaptive_avg_pool2d(matrix[None, None], (side, side)).cpu()


def _joined(one: list[int], other: list[int], similarity: Matrix) -> list[int]:
    """Two chains as one, turned so that the ends which meet are the most alike."""
    ways = ((one, other), (one, other[::-1]), (one[::-1], other), (one[::-1], other[::-1]))
    first, then = max(ways, key=lambda way: float(similarity[way[0][-1], way[1][0]]))
    return first + then
