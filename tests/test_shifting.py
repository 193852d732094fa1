"""Random crops and rotations of the picture before an evaluation."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from gramarye import shifting
from gramarye.objective import objective_for
from gramarye.optimize import Descent
from gramarye.presets import preset
from gramarye.settings import OptimizerSettings, ShiftingSettings
from gramarye.vgg import VGG
from networks import picture, random_weights


@given(st.floats(0.5, 1), st.integers(8, 200), st.integers(8, 200), st.integers(0, 10_000))
def test_a_crop_lies_inside_the_picture_and_keeps_its_fraction(
    fraction: float, height: int, width: int, seed: int
) -> None:
    affine = shifting.draw(ShiftingSettings(fraction=fraction), (height, width), torch.Generator().manual_seed(seed))
    matrix = torch.cat([affine[0], torch.tensor([[0, 0, 1.0]])])
    corners = torch.tensor([[0, 0, 1.0], [width - 1, height - 1, 1]]).T
    x, y, _ = torch.linalg.solve(matrix.double(), corners.double())  # where the crop's corners were
    for seen, side in ((x, width), (y, height)):
        assert seen.min() > -0.01 - side / 2 * (1 / fraction - 1)
        assert seen[0] >= -0.6
        assert seen[1] <= side - 0.4
        assert fraction * (side - 1) - 1e-2 <= float(seen[1] - seen[0]) <= side - 1 + 1e-2


def test_nothing_to_shift_leaves_the_picture() -> None:
    assert not shifting.is_on(ShiftingSettings())
    affine = shifting.draw(ShiftingSettings(), (20, 30), torch.Generator())
    torch.testing.assert_close(shifting.shift(picture(20, 30, 1), affine), picture(20, 30, 1), atol=1e-5, rtol=0)


def test_degrees_turn_about_the_centre() -> None:
    spot = torch.zeros(1, 3, 21, 21)
    spot[:, :, 10, 18] = 1
    angles = set()
    for seed in range(40):
        affine = shifting.draw(ShiftingSettings(degrees=45), (21, 21), torch.Generator().manual_seed(seed))
        turned = shifting.shift(spot, affine)[0, 0]
        row, column = divmod(int(turned.argmax()), 21)
        angles.add(row)
        assert 6.5 <= ((row - 10) ** 2 + (column - 10) ** 2) ** 0.5 <= 9
    assert min(angles) <= 6
    assert max(angles) >= 14


def test_painting_goes_on_under_shifts_with_every_optimiser() -> None:
    network = VGG(random_weights(), pooling="avg")
    objective = objective_for(network, picture(40, 40, 1), [picture(32, 32, 2)], preset("default"))
    for name in ("lbfgs", "adam", "adagrad", "sgd"):
        settings = OptimizerSettings(name=name)
        descent = Descent(picture(40, 40, 1), objective, network, settings, ShiftingSettings(fraction=0.95))
        totals = [step.total for step in descent.steps(40)]
        assert min(totals[-5:]) < totals[0], name
