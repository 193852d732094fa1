"""The drawings of the mathematics: formulas that can be set and read, and bars that are the numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import drawn
from brought import brought
from gramarye.explain import formulas, mathematics
from gramarye.explain.mathematics import Mathematics
from gramarye.pulling import finish
from gramarye.report.mathematics import draw


@pytest.fixture(scope="module")
def section() -> Mathematics:
    with pytest.MonkeyPatch.context() as patch:
        return finish(mathematics.explain(brought(patch), "quick"))


def test_they_can_be_read(section: Mathematics) -> None:
    drawings = draw(section)
    drawn.check(drawings)
    assert [drawing.name for drawing in drawings] == [
        "mathematics-formulas", "mathematics-gradients", "mathematics-network", "mathematics-parameters",
    ]  # fmt: skip
    assert not any(drawing.photographic for drawing in drawings)


def test_every_kind_of_formula_is_there_with_its_numbers(section: Mathematics) -> None:
    texts = [text.get_text() for text in drawn.words(draw(section)[0])]
    shown = {formula.key: formula for formula in section.formulas}
    assert len(shown) == 9
    for formula in shown.values():
        assert formula.name in texts
        assert f"${formula.mathtext}$" in texts
        assert f"${formula.mathtext_numbers}$" in [text.replace("$\n$+\\", " +") for text in texts]


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 12345.0, 1e30])
def test_numbers_of_any_size_have_room(section: Mathematics, scale: float) -> None:
    losses = {f"relu{block}_{index}": (scale, 3.3e7, 3.3e7) for block in range(1, 6) for index in (1, 2, 3)}
    total = formulas.total_formula((scale * 1.234, 5.678e9), (scale * 1.2345, 6.789e8), scale / 7, 1.0)
    others = [each for each in section.formulas if each.key not in ("style", "total")]
    drawn.check(draw(replace(section, formulas=(*others, formulas.style_formula(losses), total)))[:1])


def test_bars_end_where_the_difference_is(section: Mathematics) -> None:
    worst = replace(section.gradients[0], difference=1e-3, difference_single=0.0)
    bars = draw(replace(section, gradients=(worst, *section.gradients[1:])))[1].figure.axes[1]
    ends = [bar.get_x() + bar.get_width() for bar in bars.patches]
    content = [each for each in section.gradients if each.key == "content"]
    assert ends[0] == pytest.approx(-17), "nothing is drawn as the least there can be"
    assert ends[1] == pytest.approx(math.log10(content[1].difference_single))
    assert ends[len(content)] == pytest.approx(-3)
    assert [line.get_xdata()[0] for line in bars.lines] == [-5]


def test_layers_are_drawn_to_scale(section: Mathematics) -> None:
    work, times = draw(section)[2].figure.axes
    rows = [row for row in section.rows if row.kind != "pixels"]
    shares = [bar.get_width() for bar in work.patches]
    assert math.fsum(shares) == pytest.approx(100)
    assert shares.index(max(shares)) == max(range(len(rows)), key=lambda place: rows[place].multiplications)
    widths = [bar.get_width() for bar in times.patches]
    assert widths[:2] == pytest.approx([1e3 * rows[0].forward, 1e3 * rows[0].backward])
    assert times.patches[-1].get_alpha() < 1, "pool5 is not needed"
    (parameters,) = draw(section)[3].figure.axes
    assert math.fsum(bar.get_width() for bar in parameters.patches) == pytest.approx(143.667240)
