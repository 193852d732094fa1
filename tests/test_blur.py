"""The Gaussian blur."""

from __future__ import annotations

import pytest
import torch

from gramarye import blur


def test_a_point_becomes_a_gaussian_and_a_constant_stays() -> None:
    point = torch.zeros(1, 1, 31, 31)
    point[0, 0, 15, 15] = 1
    soft = blur.gaussian(point, 2.0)
    assert float(soft.sum()) == pytest.approx(1, abs=1e-5)
    assert float(soft[0, 0, 15, 17] / soft[0, 0, 15, 15]) == pytest.approx(2.718281828**-0.5, rel=1e-4)
    assert torch.allclose(blur.gaussian(torch.full((1, 2, 9, 5), 0.3), 4.0), torch.full((1, 2, 9, 5), 0.3))


def test_no_deviation_is_no_blur() -> None:
    image = torch.rand(1, 3, 8, 8)
    assert blur.gaussian(image, 0) is image
