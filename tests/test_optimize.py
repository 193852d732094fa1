"""The loop: what it yields, what it does with values that are not finite, and that it equals torch's."""

from __future__ import annotations

import math

import pytest
import torch

from gramarye.errors import OptimizationError
from gramarye.objective import Objective, Term, objective_for
from gramarye.optimize import Step, optimize
from gramarye.presets import preset
from gramarye.settings import OptimizerSettings
from gramarye.vgg import VGG
from networks import picture, random_weights

NETWORK = VGG(random_weights(), pooling="avg")


def run(objective: Objective, start: torch.Tensor, count: int, **settings: object) -> list[Step]:
    return list(optimize(start, objective, NETWORK, OptimizerSettings(**settings), count))


def squared(target: float) -> Objective:
    """Half the squared distance of every pixel from `target`."""
    return Objective((Term("pixels", "content", "pixels", 1.0, lambda x: (x - target).square().sum() / 2),))


@pytest.mark.parametrize(("name", "rate"), [("lbfgs", 1.0), ("adam", 0.05)])
def test_total_falls_and_terms_add_up(name: str, rate: float) -> None:
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], preset("default"))
    steps = run(objective, picture(32, 40, 1).clone(), 15, name=name, learning_rate=rate)
    assert [step.index for step in steps] == list(range(1, 16))
    assert steps[-1].total < 0.7 * steps[0].total
    for step in steps:
        assert step.total == pytest.approx(sum(step.weighted.values()), rel=1e-5)
        assert step.weighted.keys() == step.terms.keys()
    assert [step.seconds for step in steps] == sorted(step.seconds for step in steps)


def test_lbfgs_takes_the_tutorials_steps() -> None:
    """Twenty evaluations of the tutorial's loop, written out with torch's own closure, give the same picture."""
    settings = preset("pytorch-tutorial")
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], settings)
    plain = picture(32, 40, 1).clone().requires_grad_()
    optimizer = torch.optim.LBFGS([plain], max_iter=20, history_size=100, tolerance_grad=0, tolerance_change=0)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = objective.total(objective.values(NETWORK(plain, objective.layers)))
        loss.backward()
        return loss

    optimizer.step(closure)
    ours = picture(32, 40, 1).clone()
    for _ in optimize(ours, objective, NETWORK, OptimizerSettings(history=100), 20):
        pass
    torch.testing.assert_close(ours, plain.detach(), rtol=1e-4, atol=1e-5)


def test_stopping_is_not_pulling() -> None:
    start = torch.zeros(1, 3, 8, 8)
    steps = optimize(start, squared(1.0), NETWORK, OptimizerSettings(name="adam", learning_rate=0.1), 1000)
    next(steps)
    reached = next(steps).pixels.clone()
    steps.close()
    torch.testing.assert_close(start, reached)
    assert float(reached.mean()) == pytest.approx(0.2, abs=0.02)


def test_values_that_are_not_finite_are_rolled_back() -> None:
    """A loss that is not finite beyond 0.5: the picture never stays there, and the step says so."""

    def cliff(x: torch.Tensor) -> torch.Tensor:
        value = (x - 1).square().sum()
        return value * math.nan if float(x.detach().max()) > 0.5 else value

    objective = Objective((Term("cliff", "content", "pixels", 1.0, cliff),))
    start = torch.zeros(1, 3, 8, 8)
    steps = run(objective, start, 5, name="adam", learning_rate=0.3)
    assert any(step.rescued for step in steps)
    assert torch.isfinite(start).all()
    assert float(start.max()) < 0.8


def test_hopeless_objectives_raise_one_line() -> None:
    objective = Objective((Term("nan", "content", "pixels", 1.0, lambda x: x.sum() * math.nan),))
    with pytest.raises(OptimizationError, match="learning_rate"):
        run(objective, torch.zeros(1, 3, 8, 8), 10)


def test_clamp_keeps_the_evaluated_picture_in_range() -> None:
    seen = []
    term = Term(
        "far", "content", "pixels", 1.0, lambda x: (seen.append(float(x.detach().max())), (x - 3).square().sum())[1]
    )
    run(Objective((term,)), torch.zeros(1, 3, 8, 8), 4, clamp=True)
    assert max(seen) <= 1


def test_image_is_a_picture() -> None:
    step = next(optimize(picture(20, 30, 1), squared(0.5), NETWORK, OptimizerSettings(), 1))
    assert step.image().size == (30, 20)
