"""Annotations are checked at run time: in every test anew, up to a number of calls."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

import checking
from gramarye.statistics import gram_matrix


@pytest.fixture(autouse=True)
def _on(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("annotations are not checked: make test does")


@pytest.mark.parametrize("again", [False, True])
def test_a_wrong_shape_is_refused_in_every_test(again: bool) -> None:
    with pytest.raises(TypeCheckError, match="gram_matrix"):
        gram_matrix(torch.zeros(3, 4))
    for _ in range(checking.CALLS):
        gram_matrix(torch.zeros(1, 3, 4, 4))
    with pytest.raises(RuntimeError):  # torch's own: there have been enough calls
        gram_matrix(torch.zeros(3, 4))
