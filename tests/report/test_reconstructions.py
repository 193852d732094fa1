"""Drawings of content, textures and ablation: every picture and number is there, also where there is little to show."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gramarye import weights
from gramarye.explain import ablation, content, textures
from gramarye.explain.section import Section
from gramarye.explain.subject import bring
from gramarye.pulling import finish
from gramarye.report import ablation as of_ablation
from gramarye.report import content as of_content
from gramarye.report import textures as of_textures
from gramarye.report.drawing import Drawing
from networks import picture, random_weights
from sections import tiny

DRAWERS = {content: of_content, textures: of_textures, ablation: of_ablation}


@cache
def drawn(module: Any, **changes: object) -> tuple[Section, list[Drawing]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "load", lambda *_: random_weights())
        patch.setattr(module, "SIDES", {"quick": 32})
        patch.setattr(module, "EVALUATIONS", {"quick": 5})
        subject = bring(picture(48, 40, 3), picture(48, 40, 1), picture(40, 60, 2), tiny(**changes))
        section = finish(module.explain(subject, "quick"))
    return section, DRAWERS[module].draw(section)


def texts(drawing: Drawing) -> list[str]:
    """The titles and words of a drawing, and the labels of its ticks."""
    found = []
    for axes in drawing.figure.axes:
        found += [axes.get_title(loc=where) for where in ("left", "center")] + [text.get_text() for text in axes.texts]
        found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        legend = axes.get_legend()
        found += [text.get_text() for text in legend.get_texts()] if legend else []
    return found


def pictures(drawing: Drawing) -> int:
    return sum(bool(axes.images) for axes in drawing.figure.axes)


@pytest.mark.parametrize("module", DRAWERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_drawings_have_names_captions_and_room_for_their_pictures(module: Any) -> None:
    section, drawings = drawn(module)
    names = [drawing.name for drawing in drawings]
    assert len(set(names)) == len(names)
    assert names[0] == section.name
    for drawing in drawings:
        assert drawing.caption.endswith(".")
        drawing.figure.draw_without_rendering()
        if drawing.photographic:
            widths = [axes.get_position().width * drawing.figure.get_figwidth() for axes in drawing.figure.axes]
            assert min(widths) >= 1.3


def test_content_shows_the_photograph_every_layer_and_its_error() -> None:
    section, (first, errors, steps, compared) = drawn(content)
    assert pictures(first) == 6
    assert "the photograph" in texts(first)
    for kept in section.layers:
        assert any(text.startswith(f"from {kept.layer}: ") for text in texts(first))
        assert kept.layer in texts(errors)
    lines = errors.figure.axes[0].get_lines()
    assert list(lines[0].get_ydata()) == [255 * kept.pixel_error for kept in section.layers]
    assert pictures(steps) % 3 == 0
    assert "relu1_1: start" in texts(steps)
    assert pictures(compared) == 6
    assert any(text.startswith("relu4_1, max pooling") for text in texts(compared))


def test_content_without_comparisons_or_with_one_layer_is_drawn_too() -> None:
    section, _ = drawn(content)
    bare = replace(section, layers=section.layers[:1], before_relu=(), other_pooling=())
    drawings = of_content.draw(bare)
    assert [drawing.name for drawing in drawings] == ["content", "content-errors", "content-steps"]
    assert pictures(drawings[0]) == 2


def test_textures_show_the_painting_both_rows_and_their_distances() -> None:
    section, (cumulative, alone, distances) = drawn(textures)
    assert pictures(cumulative) == pictures(alone) == 6
    assert "the painting" in texts(cumulative)
    assert any(text.startswith("relu1_1 to relu4_1: ") for text in texts(cumulative))
    assert any(text.startswith("relu5_1: ") for text in texts(alone))
    for axes in distances.figure.axes:
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert names[-1] == "all layers"
        line = axes.get_lines()[-1]
        expected = [100 * section.together.held_out[layer] for layer in section.held_out_layers]
        assert list(line.get_ydata()) == pytest.approx(expected)


def test_the_ablation_shows_every_variant_and_what_an_absence_costs_where() -> None:
    section, drawings = drawn(ablation)
    by_name = {drawing.name: drawing for drawing in drawings}
    shown = texts(by_name["ablation"]) + texts(by_name["ablation-alone"]) + texts(by_name["ablation-cumulative"])
    for painted in section.painted:
        assert painted.name in shown
        assert painted.name in texts(by_name["ablation-scores"])
    rows = len(section.of("without")) + 2
    columns = len(section.style_layers) + len(section.held_out_layers)
    (table,) = by_name["ablation-costs"].figure.axes
    assert len(table.texts) == rows * columns
    layer = section.style_layers[0]
    ratio = section.of("without")[0].style[layer] / section.full.style[layer]
    assert table.texts[0].get_text() == f"{ratio:.2f}"
    assert table.texts[0].get_weight() == "bold"


def test_an_ablation_of_a_single_layer_is_drawn_too() -> None:
    _, drawings = drawn(ablation, **{"style.layers": ("relu2_1",)})
    assert [drawing.name for drawing in drawings] == ["ablation", "ablation-costs", "ablation-scores"]
