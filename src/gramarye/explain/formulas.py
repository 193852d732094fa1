"""The papers' formulas worked out with numbers, beside what Gramarye's own functions make of them.

They are those of the poster, the slides and the VGG-19 primer that docs/papers.md lists.

Notation of Gatys et al. 2015: a layer has N channels and M positions; F, P are the N×M matrices of activations of the
picture x and of the photograph p; G and A are the Gram matrices of the picture and of the painting a. Everything by
hand is in double precision, plainly as the formula is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import statistics
from gramarye.explain.numerals import in_tex, in_words, written
from gramarye.objective import Objective
from gramarye.optimize import make_optimizer
from gramarye.settings import OptimizerSettings
from gramarye.vgg import VGG

Activation = Float[Tensor, "1 channels rows columns"]
Another = Float[Tensor, "1 channels other_rows other_columns"]  # of a picture of another size
Guide = Float[Tensor, "1 1 rows columns"]
Picture = Float[Tensor, "1 3 h w"]

STEP = 1e-3  # of white: how far the pixels move in the one step that is shown, root mean square
FEW, MANY = 3, 7  # terms of a sum that is drawn
PAPERS = {
    "content": "poster, slides, primer",
    "content gradient": "primer",
    "style gradient": "primer",
    "gram": "poster, slides, primer",
    "layer": "poster, slides, primer",
    "style": "poster, slides",
    "variation": "poster, in words",
    "total": "poster, slides, primer",
    "update": "slides",
}


@dataclass(frozen=True)
class Formula:
    """One formula, what it means, and the same with this pair's numbers.

    `text` and `numbers` are plain Unicode for the page; `mathtext` and `mathtext_numbers` are for matplotlib. `value`
    is computed by hand from the formula, `own` by Gramarye's statistics or objective.
    """

    key: str  # one of PAPERS
    name: str
    layer: str  # "" where it is of no layer
    text: str
    mathtext: str
    meaning: str
    numbers: str
    mathtext_numbers: str
    value: float
    own: float

    @property
    def difference(self) -> float:
        """|value − own| / |own|."""
        if self.value == self.own:
            return 0.0
        return abs(self.value - self.own) / abs(self.own) if self.own else math.inf

    @property
    def papers(self) -> str:
        """Which of the papers have it."""
        return PAPERS[self.key]


def content_formula(layer: str, found: Activation, photograph: Activation, weights: Guide | None = None) -> Formula:
    """L_content = ½·Σ(F − P)² at one layer, or ½·Σ w_k·(F − P)² with `weights`, 1 1 rows columns."""
    apart = (found.double() - photograph.double()).square()
    squares = float((apart if weights is None else weights.double() * apart).sum())
    value = 0.5 * squares
    channels, positions = found.shape[1], found.shape[2] * found.shape[3]
    meaning = f"How far the picture is from the photograph in {layer}: {channels} channels, {positions:,} places."
    symbol, symbol_in_tex = "", ""
    if weights is not None:
        symbol, symbol_in_tex = "wₖ · ", "w_k "
        meaning += (
            " wₖ is how much place k counts, on average 1: more where the photograph has edges. The papers have 1."
        )
    numbers = ("½ · {0} = {1}", r"\frac{{1}}{{2}} \cdot {0} = {1}")
    return Formula(
        key="content",
        name=f"Content loss at {layer}",
        layer=layer,
        text=f"L_content = ½ · Σᵢₖ {symbol}(Fᵢₖ − Pᵢₖ)²",
        mathtext=rf"L_{{content}} = \frac{{1}}{{2}} \sum_{{i,k}} {symbol_in_tex}(F_{{ik}} - P_{{ik}})^2",
        meaning=meaning,
        **written(numbers, squares, value),
        value=value,
        own=float(statistics.content_distance(found, photograph, weights=weights)),
    )


def gram_formula(layer: str, found: Activation, painting: Another) -> Formula:
    """G_ij = Σ_k F_ik·F_jk for the pair of channels in which picture and painting differ most."""
    features = found[0].flatten(1).double()
    positions, others = features.shape[1], painting.shape[2] * painting.shape[3]
    gram = features @ features.T
    wanted = painting[0].flatten(1).double()
    apart = (gram - wanted @ wanted.T * (positions / others)).abs().fill_diagonal_(-1)
    i, j = divmod(int(apart.argmax()), apart.shape[1])
    products = features[i] * features[j]
    k = int(products.abs().argmax())
    value = float(products.sum())
    numbers = (
        "{0} · {1} at the strongest of {2} places; all together {3}",
        r"{0} \cdot {1} + \ldots\ ({2}\ \mathrm{{places}}) = {3}",
    )
    return Formula(
        key="gram",
        name=f"Gram matrix at {layer}",
        layer=layer,
        text="Gᵢⱼ = Σₖ Fᵢₖ · Fⱼₖ",
        mathtext=r"G_{ij} = \sum_k F_{ik} F_{jk}",
        meaning=f"How much channels {i} and {j} of {layer} are active in the same places. It is the pair in which "
        "picture and painting differ most.",
        **written(numbers, float(features[i, k]), float(features[j, k]), positions, value),
        value=value,
        own=float(statistics.gram_matrix(found)[0, i, j] * positions),
    )


def layer_formula(layer: str, found: Activation, paintings: Sequence[tuple[float, Tensor]], width: int) -> Formula:
    """E_l = 1/(4N²M²)·Σ(G − A)² at one layer, A being the mix of the paintings', each as if it had M positions.

    `width` is the formula's N: of the published network, also for the embedded one.
    """
    features = found[0].flatten(1).double()
    positions = features.shape[1]
    squares = float((features @ features.T - _mixed(paintings, positions)).square().sum())
    value = squares / (4 * width**2 * positions**2)
    target = torch.stack([share * statistics.gram_matrix(each) for share, each in paintings]).sum(0)
    numbers = (
        "{2} / (4 · {0}² · {1}²) = {3}",
        r"\frac{{ {2} }}{{ 4 \cdot {0}^2 \cdot {1}^2 }} = {3}",
    )
    return Formula(
        key="layer",
        name=f"Style loss at {layer}",
        layer=layer,
        text="E_l = 1 / (4 N² M²) · Σᵢⱼ (Gᵢⱼ − Aᵢⱼ)²",
        mathtext=r"E_l = \frac{1}{4 N^2 M^2} \sum_{i,j} (G_{ij} - A_{ij})^2",
        meaning=f"How far the picture's Gram matrix is from the painting's in {layer}: N = {width}, M = {positions:,}.",
        **written(numbers, width, positions, squares, value),
        value=value,
        own=float(statistics.gram_distance(statistics.gram_matrix(found), target, channels=width)),
    )


def _mixed(paintings: Sequence[tuple[float, Tensor]], positions: int) -> Tensor:
    """A: the mean of the paintings' Gram matrices by their shares, each as of so many positions."""
    grams = []
    for share, painting in paintings:
        features = painting[0].flatten(1).double()
        grams.append(share * (positions / features.shape[1]) * (features @ features.T))
    return torch.stack(grams).sum(0)


def style_formula(losses: Mapping[str, tuple[float, float, float]]) -> Formula:
    """L_style = Σ w_l·E_l; `losses` holds w_l, E_l by hand and E_l by Gramarye, by layer.

    To be drawn, a sum of more than FEW layers has the products alone, and of more than MANY not all of them.
    """
    value = math.fsum(weight * loss for weight, loss, _ in losses.values())
    plain = [f"{in_words(weight, 2)}·{in_words(loss, 2)}" for weight, loss, _ in losses.values()]
    factors = [rf"{in_tex(weight, 2)}\cdot {in_tex(loss, 2)}" for weight, loss, _ in losses.values()]
    products = [in_tex(weight * loss, 2) for weight, loss, _ in losses.values()]
    tex = factors if len(losses) <= FEW else products[:MANY] + [r"\ldots"] * (len(losses) > MANY)
    return Formula(
        key="style",
        name="Style loss",
        layer="",
        text="L_style = Σ_l w_l · E_l",
        mathtext=r"L_{style} = \sum_l w_l E_l",
        meaning=f"All {len(losses)} style layers together, each with its weight.",
        numbers=f"{' + '.join(plain)} = {in_words(value)}",
        mathtext_numbers=f"{' + '.join(tex)} = {in_tex(value)}",
        value=value,
        own=math.fsum(weight * loss for weight, _, loss in losses.values()),
    )


def variation_formula(picture: Picture) -> Formula:
    """TV = 1/(H·W)·Σ (dx² + dy²) of the picture's values: the mean of squared differences between neighbours."""
    pixels = picture[0].double()
    down = float((pixels[:, 1:] - pixels[:, :-1]).square().sum())
    right = float((pixels[:, :, 1:] - pixels[:, :, :-1]).square().sum())
    height, width = pixels.shape[1:]
    value = (down + right) / (height * width)
    numbers = (
        "({0} + {1}) / ({2} · {3}) = {4}",
        r"\frac{{ {0} + {1} }}{{ {2} \cdot {3} }} = {4}",
    )
    return Formula(
        key="variation",
        name="Total variation",
        layer="",
        text="TV = 1 / (H W) · Σ (dx² + dy²)",
        mathtext=r"TV = \frac{1}{H W} \sum (dx^2 + dy^2)",
        meaning="How much neighbouring pixels differ: small for a smooth picture, large for a noisy one.",
        **written(numbers, right, down, height, width, value),
        value=value,
        own=float(statistics.total_variation(picture)),
    )


def total_formula(
    content: tuple[float, float], style: tuple[float, float], rest: float, own: float, *, published: bool = True
) -> Formula:
    """L_total = α·L_content + β·L_style, and what is asked of the pixels; pairs are weight and loss.

    Not `published`: the losses are those of the settings, which measure otherwise than the papers.
    """
    other = "" if published else " Your settings measure them otherwise than the papers; these are their weighted sums."
    value = content[0] * content[1] + style[0] * style[1] + rest
    more = (" + {4}", " + {4}") if rest else ("", "")
    return Formula(
        key="total",
        name="Total loss",
        layer="",
        text="L_total = α · L_content + β · L_style" + (" + smoothness" if rest else ""),
        mathtext=r"L_{total} = \alpha L_{content} + \beta L_{style}" + (" + L_{smooth}" if rest else ""),
        meaning=f"What painting makes as small as it can: content and style, weighed against each other.{other}",
        **written(
            (f"{{0}}·{{1}} + {{2}}·{{3}}{more[0]} = {{5}}", rf"{{0}}\cdot {{1}} + {{2}}\cdot {{3}}{more[1]} = {{5}}"),
            *content,
            *style,
            rest,
            value,
        ),
        value=value,
        own=own,
    )


@dataclass(frozen=True)
class Move:
    """One step x ← x − η·∇L of the whole picture: the total before and after; `rate` is η, `gradient_norm` ‖∇L‖."""

    rate: float
    gradient_norm: float
    before: float
    after: float

    @property
    def promised(self) -> float:
        """What the slope promises: the total would fall by η·‖∇L‖² if it were straight."""
        return self.rate * self.gradient_norm**2

    @property
    def kept(self) -> float:
        """The part of the promised fall that came true."""
        return (self.before - self.after) / self.promised if self.promised else 0.0


def update_formula(network: VGG, objective: Objective, picture: Picture) -> tuple[Formula, Move]:
    """One step of plain gradient descent from `picture`, as the value that is pulled hardest takes it.

    η moves the pixels by a thousandth of white, root mean square.
    """
    leaf = picture.detach().clone().requires_grad_()
    before = _total(network, objective, leaf)
    (gradient,) = torch.autograd.grad(before, leaf)
    norm = float(gradient.double().norm())
    rate = STEP * math.sqrt(gradient.numel()) / norm if norm else 1.0
    place = int(gradient.abs().argmax())
    old, slope = float(picture.flatten()[place]), float(gradient.flatten()[place])
    leaf.grad = gradient
    make_optimizer(leaf, OptimizerSettings(name="sgd"), rate).step()
    with torch.no_grad():
        move = Move(rate, norm, float(before.detach()), float(_total(network, objective, leaf)))
    return _step_of_a_value(picture, place, old, slope, rate, float(leaf.detach().flatten()[place])), move


def _step_of_a_value(picture: Picture, place: int, old: float, slope: float, rate: float, own: float) -> Formula:
    value = old - rate * slope
    color, row, column = (int(each) for each in torch.unravel_index(torch.tensor(place), picture.shape[1:]))
    name = ("red", "green", "blue")[color]
    return Formula(
        key="update",
        name="One step",
        layer="",
        text="x ← x − η · ∂L_total/∂x",
        mathtext=r"x \leftarrow x - \eta\, \frac{\partial L_{total}}{\partial x}",
        meaning="Every value of every pixel moves a little downhill. Shown is the one that is pulled hardest at "
        f"the start: the {name} of the pixel in row {row}, column {column}.",
        **written(("{0} − {1} · ({2}) = {3}", r"{0} - {1} \cdot ({2}) = {3}"), old, rate, slope, value),
        value=value,
        own=own,
    )


def _total(network: VGG, objective: Objective, picture: Tensor) -> Tensor:
    return objective.total(objective.values(network(picture, objective.layers)))
