"""A painting that is not asked for some pairs of channels, and whose recipe says so."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gramarye.explain.pairs import without
from gramarye.objective import Objective
from gramarye.painting import Painting
from gramarye.vgg import VGG

LeftOut = tuple[str, int, int]  # layer, channel, channel


def leave_out(painting: Painting, pairs: Sequence[LeftOut]) -> None:
    """Take pairs of channels out of the Gram matrices that a prepared painting is asked for; see `pairs.without`.

    The recipe has them as `without`. Raises SettingsError for pairs that are not there.
    """

    def alter(objective: Objective, network: VGG, paintings: Sequence[Tensor]) -> Objective:
        return without(objective, network, paintings, painting.settings.style, pairs)

    painting.alter = alter
    painting.origins["without"] = [list(pair) for pair in pairs]
