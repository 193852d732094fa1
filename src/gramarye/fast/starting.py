"""Where a training starts: a painter that has learned before, of many styles or of any.

What all styles share is taken over as it is. Gains and offsets are linear in the code of a style (`painter`), so that a
painter of many styles takes over, for each of its paintings, those that follow from the code that the other one is told
of it: by a painter of any style what it makes of the painting, else the style of that name. Dumoulin et al. 2016, "A
Learned Representation For Artistic Style", add styles to a network likewise, by gains and offsets; there they begin at
random, and the convolutions stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye.errors import SettingsError
from gramarye.fast.any_style import AnyStyle
from gramarye.fast.painter import Painter
from gramarye.fast.stored import FastNetwork

Codes = Float[Tensor, "styles code"]


def started(known: FastNetwork, kind: str, names: Sequence[str], paintings: Sequence[Tensor]) -> Painter | AnyStyle:
    """A painter of a `kind` that paints as `known` does, to be trained; `paintings`, 1 3 H W, have these names.

    Raises SettingsError for a painter of any style that would start from one of many, and for an unknown style.
    """
    if kind == "any":
        if known.kind != kind:
            rule, remedy = "a painter of any style starts from another of any style", "start from any, or leave it out"
            raise SettingsError(rule, known.name, remedy)
        return known.painter.requires_grad_()
    codes, painter = _codes(known, names, paintings), Painter(tuple(names), **known.painter.sizes)
    before = known.painter.state_dict()
    linear = (".gain", ".offset")
    taken = {name: codes @ before[name] if name.endswith(linear) else before[name] for name in painter.state_dict()}
    painter.load_state_dict(taken)
    return painter


def _codes(known: FastNetwork, names: Sequence[str], paintings: Sequence[Tensor]) -> Codes:
    """What `known` is told of each painting."""
    painter = known.painter
    if isinstance(painter, AnyStyle):
        with torch.no_grad():
            return torch.cat([painter.code(each, painter.remember(each)) for each in paintings])
    unknown = [name for name in names if name not in known.styles]
    if unknown:
        rule = f"{known.name} has learned {', '.join(known.styles)}"
        raise SettingsError(rule, unknown[0], "start from any, which knows every painting")
    return torch.eye(len(known.styles))[[known.styles.index(name) for name in names]]
