"""Twenty steps of the originals' loops, written out with torch.optim as they use it, and ours: the same pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from gramarye.objective import Objective, objective_for
from gramarye.optimize import optimize
from gramarye.presets import preset
from gramarye.vgg import VGG
from networks import picture, random_weights

STEPS = 20
PHOTOGRAPH, PAINTING = picture(16, 24, 1).double(), picture(16, 24, 2).double()
Loss = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def network() -> VGG:
    """A random network in float64, so that rounding cannot drive two runs apart."""
    made = random_weights()
    tensors = {name: tensor.double() for name, tensor in made.tensors.items()}
    return VGG(replace(made, tensors=tensors), dtype=torch.float64)


def objective_of(name: str, network: VGG) -> Objective:
    return objective_for(network, PHOTOGRAPH, [PAINTING], preset(name).with_(**{"network.units": "own"}))


def loss_of(objective: Objective, network: VGG) -> Loss:
    return lambda x: objective.total(objective.values(network(x, objective.layers)))


def ours(name: str, objective: Objective, network: VGG, **knobs: object) -> Tensor:
    settings = preset(name).with_(**{f"optimizer.{knob}": value for knob, value in knobs.items()})
    steps = optimize(PHOTOGRAPH.clone(), objective, network, settings.optimizer, 10 * STEPS)
    pixels = PHOTOGRAPH
    for step in islice(steps, STEPS):
        assert not step.rescued
        pixels = step.pixels
    return pixels.clone()


def same(found: Tensor, written: Tensor) -> None:
    assert float((written - PHOTOGRAPH).abs().max()) > 1e-4, "nothing has moved"
    torch.testing.assert_close(found, written, rtol=0, atol=1e-6)


def test_tutorial_lbfgs_clamped_in_the_closure(network: VGG) -> None:
    """optimizer.step with torch's twenty iterations a call, the picture clamped before each evaluation."""
    objective = objective_of("pytorch-tutorial", network)
    loss, x = loss_of(objective, network), PHOTOGRAPH.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([x])

    def closure() -> Tensor:
        with torch.no_grad():
            x.clamp_(0, 1)
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimizer.step(closure)
    same(ours("pytorch-tutorial", objective, network), x.detach().clamp(0, 1))


@pytest.mark.parametrize("name", ["gatys-author", "jcjohnson", "neural-style-pt"])
def test_lbfgs_on_pixels_to_255(name: str, network: VGG) -> None:
    quiet = objective_of(name, network)  # as loud as Oxford's: torch's L-BFGS stands still where y·s is below 1e-10
    objective = Objective(tuple(term.weighted_by(1e6) for term in quiet.terms))
    loss, x = loss_of(objective, network), (255 * PHOTOGRAPH).requires_grad_()
    optimizer = torch.optim.LBFGS([x], max_iter=STEPS, tolerance_change=-1, tolerance_grad=-1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(x / 255)
        value.backward()
        return value

    optimizer.step(closure)
    same(ours(name, objective, network), x.detach() / 255)


def test_gordic_lbfgs_with_a_line_search(network: VGG) -> None:
    objective = objective_of("gordic", network)
    loss, x = loss_of(objective, network), (255 * PHOTOGRAPH).requires_grad_()
    optimizer = torch.optim.LBFGS([x], max_iter=STEPS, max_eval=1000, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(x / 255)
        value.backward()
        return value

    optimizer.step(closure)
    same(ours("gordic", objective, network), x.detach() / 255)


def test_crowson_adam_clamped_and_averaged(network: VGG) -> None:
    """Adam, the box constraint after each step, and the bias-corrected running mean that is the result."""
    objective = objective_of("pystiche", network)  # a smooth loss; hers is in test_losses
    loss, x = loss_of(objective, network), PHOTOGRAPH.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.02, betas=(0.9, 0.99))
    value, accumulated = 0.01 * x.detach(), 0.99
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        with torch.no_grad():
            x.clamp_(0, 1)
        accumulated *= 0.99
        value = value * 0.99 + 0.01 * x.detach()
    same(ours("crowson", objective, network), value / (1 - accumulated))


def test_keras_gradient_descent_with_a_decaying_rate(network: VGG) -> None:
    """100·0.96^(step/100), Keras' ExponentialDecay, on pixels to 255; half the loss, which goes down evenly."""
    objective = objective_of("keras", network)
    small = Objective(tuple(term.weighted_by(0.5) for term in objective.terms))
    loss, x = loss_of(small, network), (255 * PHOTOGRAPH).requires_grad_()
    for step in range(STEPS):
        (slope,) = torch.autograd.grad(loss(x / 255), x)
        with torch.no_grad():
            x -= 100 * 0.96 ** (step / 100) * slope
    same(ours("keras", small, network), x.detach() / 255)


def test_plain_gradient_descent(network: VGG) -> None:
    """x ← x − η∇L, η given."""
    objective = objective_of("gradient-descent", network)
    loss, x = loss_of(objective, network), PHOTOGRAPH.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(x), x)
    rate = 1e-4 / float(slope.square().mean().sqrt())
    for _ in range(STEPS):
        (slope,) = torch.autograd.grad(loss(x), x)
        with torch.no_grad():
            x -= rate * slope
    same(ours("gradient-descent", objective, network, learning_rate=rate), x.detach())


def test_joshi_and_hus_adam(network: VGG) -> None:
    """The tutorial's loop with torch's Adam at 0.05, without the random shifts."""
    objective = objective_of("joshi-hu-revised", network)
    loss, x = loss_of(objective, network), PHOTOGRAPH.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.05)
    for _ in range(STEPS):
        with torch.no_grad():
            x.clamp_(0, 1)
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    same(ours("joshi-hu-revised", objective, network), x.detach().clamp(0, 1))
