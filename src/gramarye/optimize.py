"""One scale of a painting: a picture, an objective, an optimiser, and a stream of steps.

`optimize` is a generator; whoever watches pulls, and stopping is not pulling. Each step evaluates the objective
and its gradient once (L-BFGS with a line search: as often as that needs). `Descent` is the same with a state that
can be taken out between two steps and put back later.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gramarye import shifting
from gramarye.errors import OptimizationError
from gramarye.objective import Objective
from gramarye.settings import OptimizerSettings, ShiftingSettings
from gramarye.vgg import VGG

if TYPE_CHECKING:
    from PIL import Image

# What a descent looks through: from its leaf and the names of layers to their activations. A VGG, or a callable that
# first makes a picture of another leaf (explain.spectrum).
Sight = Callable[[Tensor, Sequence[str]], Mapping[str, Tensor]]

# A total this many times the best so far means that the optimiser has left the region where its model holds.
EXPLOSION = 10.0
RESCUES = 5
WORSE = 1.02  # a last total this many times the best: the picture of the best is kept instead
CAUTION = 0.4  # of the length of L-BFGS' first move at a larger size
RATES = {"lbfgs": 1.0, "adam": 0.02, "adagrad": 0.1}
FIRST_MOVE = 0.01  # of white: how far SGD's first step moves a pixel, root mean square, unless told a rate
# L-BFGS takes differences of gradients for curvature, which a new random shift at every evaluation would drown: a
# shift is held for as many evaluations as torch's L-BFGS makes in a step, and its memory is cleared with the next.
HELD_SHIFT = 20


@dataclass(frozen=True)
class Step:
    """One evaluation at the picture before it moved: `terms` are raw values, `weighted` those times their weights.

    `index` counts evaluations from 1 over all scales; `scale` counts sizes from 0; `seconds` are since the
    painting began. `pixels`, 1 3 H W, is the picture as it stands now: it changes when the next step is pulled.
    `rescued` tells that the values were not finite (or had exploded) and the picture was rolled back.
    `gradients`, of a descent that is watched, are ‖∂(weight·value)/∂x‖₂ of every term, over all pixels x in [0, 1].
    """

    index: int
    scale: int
    terms: dict[str, float]
    weighted: dict[str, float]
    total: float
    seconds: float
    pixels: Tensor = field(repr=False)
    rescued: bool = False
    weights: dict[str, float] = field(default_factory=dict)
    gradients: dict[str, float] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Each term's part of Σ weight·value; they sum to 1 (all are 0 where nothing is left to do)."""
        total = math.fsum(self.weighted.values())
        return {name: value / total if total else 0.0 for name, value in self.weighted.items()}

    def image(self) -> Image.Image:
        """The picture as it stands now, 8 bit."""
        from gramarye.images import to_pil

        return to_pil(self.pixels)


class LBFGS(torch.optim.LBFGS):
    """Torch's, but it does not import torch's compiler, which takes a second, in order to keep that out of itself."""

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = inspect.unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Optimizer.load_state_dict)


def make_optimizer(leaf: Tensor, settings: OptimizerSettings, rate: float) -> torch.optim.Optimizer:
    """The optimiser for one picture; L-BFGS makes one iteration a step."""
    if settings.name == "adam":
        return torch.optim.Adam([leaf], lr=rate, betas=(settings.beta1, settings.beta2))
    if settings.name == "adagrad":
        return torch.optim.Adagrad([leaf], lr=rate)
    if settings.name == "sgd":
        return torch.optim.SGD([leaf], lr=rate, momentum=settings.momentum)
    return LBFGS(
        [leaf],
        lr=rate,
        max_iter=1,
        max_eval=25,
        history_size=settings.history,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn=None if settings.line_search == "none" else "strong_wolfe",
    )


class Descent:
    """The minimisation of `objective` over `pixels` (1 3 H W, sRGB in [0, 1]), as far as it has come.

    The optimiser sees pixels times `settings.range`. The learning rate is r·decay^(n/decay_every) after n
    evaluations. With averaging β the picture is the running mean x̄ ← β·x̄ + (1 − β)·x, divided by 1 − βⁿ
    (Crowson, style-transfer-pytorch), else x itself. `watched` adds to each Step how hard each term pulls, for the
    price of one more pass backward a term; the picture is the same.
    """

    def __init__(
        self,
        pixels: Tensor,
        objective: Objective,
        network: Sight,
        settings: OptimizerSettings,
        shifts: ShiftingSettings | None = None,
        seed: int = 0,
        *,
        watched: bool = False,
    ) -> None:
        self.objective, self.network, self.settings = objective, network, settings
        self.watched, self._pulls = watched, dict[str, float]()  # of the last evaluation
        self.leaf = (pixels.detach() * settings.range).contiguous().requires_grad_()
        self.rate = settings.learning_rate or RATES.get(settings.name, 0.0)  # 0: found at the first evaluation
        self.full_rate = self.rate
        self.optimizer = make_optimizer(self.leaf, settings, self.rate)
        self.index, self.rescues = 0, 0  # rescues: since the best total was reached
        self.best_total, self.best = math.inf, self.leaf.detach().clone()
        self.shifts = shifts if shifts and shifting.is_on(shifts) else None
        self.generator = torch.Generator().manual_seed(seed)
        self.affine: Tensor | None = None
        self.held = 0  # evaluations under this shift
        self._known: tuple[Tensor, dict[str, Tensor], Tensor] | None = None  # a picture, its values, its gradient
        self.clamp()
        self.mean = (1 - settings.averaging) * self.leaf.detach() if settings.averaging else None
        self.left_out = settings.averaging  # the share of the running mean that is still zero

    @property
    def pixels(self) -> Tensor:
        """The picture as it stands, 1 3 H W, sRGB about [0, 1]: the running mean if there is one."""
        picture = self.leaf.detach() if self.mean is None else self.mean / (1 - self.left_out)
        return picture if self.settings.range == 1 else picture / self.settings.range

    def steps(self, evaluations: int) -> Iterator[Step]:
        """Go on until so many evaluations have been made in all; one Step for each move.

        Values that are not finite, or a total that explodes, roll the picture back to the best so far; the optimiser
        begins anew there with half the learning rate, which comes back as the total falls. After five such rescues
        without a new best the descent ends early, with the best picture; if no total was ever finite,
        OptimizationError is raised. Where the last total is not about the best, the picture of the best is what
        is left. Seconds count from here.
        """
        began = time.perf_counter()
        while self.index < evaluations and self.rescues < RESCUES:
            self._set_rate()
            self._shift()
            found: list[tuple[dict[str, Tensor], dict[str, float]]] = []
            before = self.leaf.detach().clone()
            self.optimizer.step(partial(self._evaluate, found))
            values = {name: float(value) for name, value in found[0][0].items()}
            total = values.pop("total")
            accepted = self._accepts(total)
            if accepted:
                self._note(total, before)
            else:
                self._rescue()
            if self.index >= evaluations and not self.shifts and total > WORSE * self.best_total:
                self.leaf.detach().copy_(self.best)
            self.clamp()
            self._average()
            weights = {term.name: term.weight for term in self.objective.terms if term.weight}
            yield Step(
                index=self.index,
                scale=0,
                terms=values,
                weighted={name: weight * values[name] for name, weight in weights.items()},
                total=total,
                seconds=time.perf_counter() - began,
                pixels=self.pixels,
                rescued=not accepted,
                weights=weights,
                gradients=found[0][1],
            )

    def _evaluate(self, found: list[tuple[dict[str, Tensor], dict[str, float]]]) -> float:
        """The total at the leaf, with its gradient; the values of all terms, and their pulls, are added to `found`."""
        if self._known is not None and torch.equal(self._known[0], self.leaf):
            if self.watched and not self._pulls:  # they were not asked for when this picture was evaluated
                self._pulls = self._gradient_norms(self._forward())
            values = self._known[1]
            self.leaf.grad = self._known[2].clone()
        else:
            self.optimizer.zero_grad(set_to_none=False)
            values = self._forward()
            self._pulls = self._gradient_norms(values) if self.watched else {}
            values["total"].backward()  # type: ignore[no-untyped-call]
            values = {name: value.detach() for name, value in values.items()}
            self.index += 1
        gradient = self.leaf.grad
        assert gradient is not None
        if self.settings.line_search != "none":  # a search ends where the next iteration begins
            self._known = (self.leaf.detach().clone(), values, gradient.clone())
        if not self.rate:
            size = float(gradient.square().mean().sqrt())
            self.rate = self.full_rate = FIRST_MOVE * self.settings.range / size if size else 1.0
            self._set_rate()
        found.append((values, self._pulls if self.watched else {}))
        return float(values["total"])

    def _forward(self) -> dict[str, Tensor]:
        image = self.leaf if self.settings.range == 1 else self.leaf / self.settings.range
        if self.affine is not None:
            image = shifting.shift(image, self.affine)
        values = self.objective.values(self.network(image, self.objective.layers))
        return {**values, "total": self.objective.total(values)}

    def _gradient_norms(self, values: Mapping[str, Tensor]) -> dict[str, float]:
        """‖∂(weight·value)/∂x‖₂ by term; the graph is kept."""
        norms = {}
        for term in self.objective.terms:
            if term.weight:
                (gradient,) = torch.autograd.grad(term.weight * values[term.name], self.leaf, retain_graph=True)
                norms[term.name] = float(gradient.norm()) * self.settings.range
        return norms

    def _set_rate(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * self.settings.decay ** (self.index / self.settings.decay_every)

    def _shift(self) -> None:
        """Draw the next random shift; L-BFGS holds each for a while and begins anew with the next."""
        if self.shifts is None or (
            self.settings.name == "lbfgs" and self.affine is not None and self.held < HELD_SHIFT
        ):
            self.held += 1
            return
        size = (self.leaf.shape[2], self.leaf.shape[3])
        self.affine, self.held, self._known = shifting.draw(self.shifts, size, self.generator), 1, None
        if self.settings.name == "lbfgs":
            self.optimizer = make_optimizer(self.leaf, self.settings, self.rate)

    def _accepts(self, total: float) -> bool:
        finite = math.isfinite(total) and bool(torch.isfinite(self.leaf.detach()).all())
        return finite and total <= EXPLOSION * abs(self.best_total)

    def _note(self, total: float, before: Tensor) -> None:
        if total < self.best_total:
            self.best_total, self.rescues = total, 0
            self.rate = min(2 * self.rate, self.full_rate)
            self.best.copy_(before)

    def _rescue(self) -> None:
        """Put the best picture back and halve the learning rate; raises if there is no best one."""
        self.rescues += 1
        if not math.isfinite(self.best_total):
            rule = "the objective must be finite at the first picture"
            raise OptimizationError(rule, "not finite", "lower optimizer.learning_rate or the largest weight")
        self.leaf.detach().copy_(self.best)
        self.rate /= 2
        self.optimizer, self._known = make_optimizer(self.leaf, self.settings, self.rate), None

    def change(self, objective: Objective) -> None:
        """Go on under another objective, between two steps.

        The best picture so far is forgotten, for its total says nothing of the new ones; so is L-BFGS' memory of
        curvature. Adam and the others keep their means, which fade.
        """
        self.objective, self._known, self._pulls = objective, None, {}
        self.best_total, self.rescues, self.rate = math.inf, 0, self.full_rate
        self.best.copy_(self.leaf.detach())
        if self.settings.name == "lbfgs":
            self.optimizer = make_optimizer(self.leaf, self.settings, self.rate)

    def clamp(self) -> None:
        """Clip the picture to [0, 1] if the settings say so: before the first evaluation and after each move."""
        if self.settings.clamp:
            self.leaf.detach().clamp_(0, self.settings.range)

    def _average(self) -> None:
        if self.mean is not None:
            self.mean = torch.lerp(self.leaf.detach(), self.mean, self.settings.averaging)
            self.left_out *= self.settings.averaging

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on: tensors, numbers, text and None in dicts and lists."""
        kept = self.optimizer.state_dict()["state"].get(0, {})
        return {
            "leaf": self.leaf.detach(),
            "rate": self.rate,
            "full_rate": self.full_rate,
            "optimizer": {name: value for name, value in kept.items() if name != "al"},  # al: room to work in
            "index": self.index,
            "rescues": self.rescues,
            "best_total": self.best_total,
            "best": self.best,
            "mean": self.mean,
            "left_out": self.left_out,
            "affine": self.affine,
            "held": self.held,
            "generator": self.generator.get_state(),
            "known": list(self._known) if self._known else None,
            "pulls": dict(self._pulls),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state that `state` has given, of a picture of the same size under the same settings."""
        self.leaf.detach().copy_(state["leaf"])
        self.rate, self.full_rate = state["rate"], state["full_rate"]
        self.index, self.rescues = state["index"], state["rescues"]
        self.best_total, self.left_out, self.held = state["best_total"], state["left_out"], state["held"]
        self.best.copy_(state["best"])
        self.mean = None if state["mean"] is None else state["mean"].to(self.leaf)
        self.affine = state["affine"]
        self.generator.set_state(state["generator"])
        self._known = tuple(state["known"]) if state["known"] else None
        self._pulls = dict(state.get("pulls", {})) if self.watched else {}
        self._put_state(state["optimizer"])

    def _put_state(self, kept: dict[str, Any]) -> None:
        self.optimizer = make_optimizer(self.leaf, self.settings, self.rate)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": {0: kept} if kept else {}})

    def carry_on(self, before: Descent) -> None:
        """Take over from the scale before what the optimiser knows.

        That is Adam's running means, resized (Crowson, style-transfer-pytorch), and of L-BFGS how far to move: torch's
        first move is as good as none. The scale γ = yᵀs/yᵀy of its inverse Hessian grows as the number of pixels
        does among which a mean is divided; a new size is more curved at first than the one before at last: CAUTION.
        """
        kept = before.optimizer.state_dict()["state"].get(0, {})
        if kept.get("ro"):
            still, grown = torch.zeros_like(self.leaf).flatten(), self.leaf.numel() / before.leaf.numel()
            known = {"n_iter": 1, "H_diag": CAUTION * grown * kept["H_diag"], "prev_flat_grad": still}
            self._put_state({**known, "d": still.clone(), "t": 0.0, "old_dirs": [], "old_stps": [], "ro": []})
        elif "exp_avg" in kept:
            size = tuple(self.leaf.shape[2:])
            mean = F.interpolate(kept["exp_avg"], size, mode="bicubic", align_corners=False)
            square = F.interpolate(kept["exp_avg_sq"], size, mode="bilinear", align_corners=False).relu()
            self._put_state({"step": kept["step"], "exp_avg": mean, "exp_avg_sq": square})


def optimize(
    pixels: Tensor, objective: Objective, network: VGG, settings: OptimizerSettings, evaluations: int
) -> Iterator[Step]:
    """Minimise `objective` over a picture that begins as `pixels` (1 3 H W, sRGB); see Descent."""
    return Descent(pixels, objective, network, settings).steps(evaluations)
