"""Annotations are checked at run time."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from gramarye.statistics import gram_matrix


def test_a_wrong_shape_is_refused(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--jaxtyping-packages"):
        pytest.skip("annotations are not checked: make test does")
    with pytest.raises(TypeCheckError, match="gram_matrix"):
        gram_matrix(torch.zeros(3, 4))
