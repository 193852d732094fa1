"""The sizes from coarse to fine and their shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye.errors import SettingsError
from gramarye.schedule import schedule
from gramarye.settings import ScalesSettings


@given(st.integers(32, 3000), st.integers(32, 3000), st.integers(0, 1000), st.integers(1, 6), st.floats(1.1, 4))
def test_schedule(height: int, width: int, steps: int, count: int, factor: float) -> None:
    settings = ScalesSettings(count=count, factor=factor, shares=())
    scales = schedule((height, width), steps, settings)
    assert scales[-1].size == (height, width)
    assert sum(scale.evaluations for scale in scales) == steps
    sides = [max(scale.size) for scale in scales]
    assert sides == sorted(sides)
    assert len(scales) <= count
    for scale in scales[:-1]:
        assert max(scale.size) >= settings.smallest
        assert scale.size[0] / scale.size[1] == pytest.approx(height / width, rel=0.6 / min(scale.size))


def test_schedule_gives_the_shares_asked_for() -> None:
    scales = schedule((768, 512), 200, ScalesSettings())
    assert [(scale.size, scale.evaluations) for scale in scales] == [
        ((192, 128), 100),
        ((384, 256), 60),
        ((768, 512), 40),
    ]
    with pytest.raises(SettingsError, match="one share for each of the 2 scales"):
        schedule((768, 512), 200, ScalesSettings(count=2))
