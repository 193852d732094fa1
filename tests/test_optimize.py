"""The loop: what it yields, what it does with values that are not finite, and that it equals torch's."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from gramarye.errors import OptimizationError
from gramarye.objective import Objective, Term, objective_for
from gramarye.optimize import CAUTION, Descent, Step, optimize
from gramarye.presets import preset
from gramarye.settings import OptimizerSettings, ShiftingSettings
from gramarye.vgg import VGG
from networks import picture, random_weights

NETWORK = VGG(random_weights(), pooling="avg")


def run(objective: Objective, start: torch.Tensor, count: int, **settings: object) -> list[Step]:
    return list(optimize(start, objective, NETWORK, OptimizerSettings(**settings), count))


def run_lazily(objective: Objective, start: torch.Tensor, count: int, **settings: object) -> Iterator[Step]:
    return optimize(start, objective, NETWORK, OptimizerSettings(**settings), count)


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


def test_torchs_compiler_which_takes_a_second_is_not_imported() -> None:
    lines = (
        "import sys, torch",
        "from gramarye.optimize import make_optimizer",
        "from gramarye.settings import OptimizerSettings",
        "leaf = torch.ones(3, requires_grad=True)",
        "optimizer = make_optimizer(leaf, OptimizerSettings(), 1.0)",
        "def closure():",
        "    optimizer.zero_grad()",
        "    loss = leaf.square().sum()",
        "    loss.backward()",
        "    return loss",
        "optimizer.step(closure)",
        "optimizer.load_state_dict(optimizer.state_dict())",
        "assert leaf.abs().max() < 1",
        "print('torch._dynamo' in sys.modules)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def plainly(optimizer: torch.optim.Optimizer, picture: torch.Tensor, objective: Objective, white: float) -> None:
    """One step of torch's optimiser on a picture of 0 … `white`, as the tutorials write it."""

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = objective.total(objective.values(NETWORK(picture / white, objective.layers)))
        loss.backward()
        return loss

    optimizer.step(closure)


KINDS = {
    "lbfgs": (lambda p: torch.optim.LBFGS([p], max_iter=1, history_size=100, tolerance_grad=0, tolerance_change=0), {}),
    "adam": (lambda p: torch.optim.Adam([p], lr=0.01, betas=(0.8, 0.999)), {"beta1": 0.8, "beta2": 0.999}),
    "adagrad": (lambda p: torch.optim.Adagrad([p], lr=0.01), {}),
    "sgd": (lambda p: torch.optim.SGD([p], lr=1e-3, momentum=0.5), {"momentum": 0.5}),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("white", [1.0, 255.0])
def test_steps_are_torchs(name: str, white: float) -> None:
    """Twenty steps of a plain loop in the original's range, with its decay, give the same picture."""
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], preset("default"))
    make, known = KINDS[name]
    plain = (picture(32, 40, 1) * white).requires_grad_()
    optimizer = make(plain)
    rate = optimizer.param_groups[0]["lr"] * {"lbfgs": 1, "adam": white, "adagrad": white, "sgd": white**2}[name]
    for step in range(20):
        optimizer.param_groups[0]["lr"] = rate * 0.5 ** (step / 10)
        plainly(optimizer, plain, objective, white)
    settings = {"name": name, "learning_rate": rate, "history": 100, "range": white, **known}
    ours = run(objective, picture(32, 40, 1), 20, decay=0.5, decay_every=10, **settings)[-1].pixels
    torch.testing.assert_close(ours, plain.detach() / white, rtol=1e-3, atol=1e-3)


def test_lbfgs_takes_the_tutorials_steps() -> None:
    """Twenty evaluations in one call of torch's own step, as in the tutorial, give the same picture."""
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], preset("pytorch-tutorial"))
    plain = picture(32, 40, 1).requires_grad_()
    known = {"history_size": 100, "tolerance_grad": 0, "tolerance_change": 0}
    plainly(torch.optim.LBFGS([plain], max_iter=20, **known), plain, objective, 1.0)
    ours = run(objective, picture(32, 40, 1), 20, history=100)[-1].pixels
    torch.testing.assert_close(ours, plain.detach(), rtol=1e-4, atol=1e-5)


def test_the_line_search_takes_torchs_steps_and_counts_every_evaluation() -> None:
    """Six iterations of torch's strong Wolfe search in one call: the same picture, after as many evaluations."""
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], preset("default"))
    plain = picture(32, 40, 1).requires_grad_()
    known = {"line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
    optimizer = torch.optim.LBFGS([plain], max_iter=6, max_eval=1000, **known)
    plainly(optimizer, plain, objective, 1.0)
    evaluations = optimizer.state[plain]["func_evals"]
    steps = run(objective, picture(32, 40, 1), evaluations, line_search="strong-wolfe")
    assert steps[5].index in (evaluations, evaluations + 1)  # a search may end elsewhere than it looked last
    torch.testing.assert_close(steps[-1].pixels, plain.detach(), rtol=1e-3, atol=1e-4)


def test_averaging_is_the_running_mean_without_its_bias() -> None:
    settings = {"name": "sgd", "learning_rate": 0.1}
    start = torch.zeros(1, 3, 8, 8)
    plain = [start, *(step.pixels.clone() for step in run_lazily(squared(1.0), start, 6, **settings))]
    ours = run(squared(1.0), start, 6, averaging=0.9, **settings)[-1].pixels
    weights = torch.tensor([0.9 ** (6 - k) for k in range(7)])
    expected = sum(weight * each for weight, each in zip(weights, plain, strict=True)) / weights.sum()
    torch.testing.assert_close(ours, expected)


def test_sgd_finds_its_rate() -> None:
    steps = run_lazily(squared(1.0), torch.zeros(1, 3, 8, 8), 2, name="sgd")
    assert float(next(steps).pixels.square().mean().sqrt()) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize(
    "knobs",
    [
        {"name": "lbfgs"},
        {"name": "lbfgs", "line_search": "strong-wolfe"},
        {"name": "adam", "averaging": 0.9, "decay": 0.5},
        {"name": "adagrad", "range": 255.0},
        {"name": "sgd", "momentum": 0.9},
    ],
    ids=lambda knobs: "-".join(map(str, knobs.values())),
)
@pytest.mark.parametrize("shifts", [ShiftingSettings(), ShiftingSettings(fraction=0.9, degrees=5)])
def test_a_state_goes_on_to_the_same_picture(knobs: dict, shifts: ShiftingSettings) -> None:
    objective = objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], preset("default"))

    def descent() -> Descent:
        return Descent(picture(32, 40, 1), objective, NETWORK, OptimizerSettings(**knobs), shifts, 3)

    whole, first, second = descent(), descent(), descent()
    rows = [step.total for step in whole.steps(30)]
    for step in first.steps(30):
        if step.index >= 11:
            break
    second.restore(copy.deepcopy(first.state()))
    rest = [step.total for step in second.steps(30)]
    assert rest == rows[-len(rest) :]
    assert torch.equal(second.pixels, whole.pixels)


def test_adam_carries_its_means_to_the_next_scale() -> None:
    objective = squared(1.0)
    small, large = (
        Descent(torch.zeros(1, 3, side, side), objective, NETWORK, OptimizerSettings(name="adam")) for side in (8, 16)
    )
    for _ in small.steps(5):
        pass
    large.carry_on(small)
    state = large.state()["optimizer"]
    assert state["exp_avg"].shape == (1, 3, 16, 16)
    assert float(state["exp_avg"].mean()) == pytest.approx(float(small.state()["optimizer"]["exp_avg"].mean()))
    assert float(state["step"]) == 5


def test_lbfgs_knows_at_the_next_scale_how_far_to_move() -> None:
    """A mean over the pixels, 8·(x − 0.7)², has an inverse Hessian of n/16: of it the first move takes its share."""

    def mean(x: torch.Tensor) -> torch.Tensor:
        return 8 * (x - 0.7).square().mean()

    objective = Objective((Term("mean", "content", "pixels", 1.0, mean),))
    small, alone, large = (
        Descent(torch.zeros(1, 3, side, side), objective, NETWORK, OptimizerSettings()) for side in (8, 16, 16)
    )
    for _ in small.steps(4):
        pass
    large.carry_on(small)
    assert float(large.state()["optimizer"]["H_diag"]) == pytest.approx(CAUTION * 3 * 16**2 / 16, rel=1e-4)
    for descent in (alone, large):
        next(descent.steps(20))
    assert float(alone.pixels.mean()) == pytest.approx(0, abs=0.01)  # torch's own first move
    assert float(large.pixels.mean()) == pytest.approx(CAUTION * 0.7, rel=1e-4)
    for _ in large.steps(4):
        pass
    assert float(large.pixels.mean()) == pytest.approx(0.7, rel=1e-4)


def test_stopping_is_not_pulling() -> None:
    start = torch.zeros(1, 3, 8, 8)
    steps = optimize(start, squared(1.0), NETWORK, OptimizerSettings(name="adam", learning_rate=0.1), 1000)
    next(steps)
    reached = next(steps).pixels.clone()
    steps.close()
    assert not start.any()  # what was given is left alone
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
    assert torch.isfinite(steps[-1].pixels).all()
    assert float(steps[-1].pixels.max()) < 0.8


def test_explosions_never_cost_the_picture() -> None:
    """Where every step from the best picture leads astray, the descent ends early, with that picture."""

    def steep(x: torch.Tensor) -> torch.Tensor:
        return 1 + (1e6 * (x - 0.25).square()).sum()

    objective = Objective((Term("steep", "content", "pixels", 1.0, steep),))
    steps = run(objective, torch.full((1, 3, 8, 8), 0.26), 500, name="sgd", learning_rate=1.0)
    assert len(steps) < 20
    assert sum(step.rescued for step in steps) == 5
    assert steep(steps[-1].pixels) <= steps[0].total


def test_the_learning_rate_comes_back_after_a_rescue() -> None:
    """One value that is not finite, early on, does not slow the rest down."""
    seen = []

    def once(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return (x - 1).square().sum() * (math.nan if len(seen) == 3 else 1.0)

    objective = Objective((Term("once", "content", "pixels", 1.0, once),))
    descent = Descent(torch.zeros(1, 3, 8, 8), objective, NETWORK, OptimizerSettings(name="adam", learning_rate=0.01))
    steps = list(descent.steps(20))
    assert [step.index for step in steps if step.rescued] == [3]
    assert descent.rate == 0.01


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
