"""A painting from beginning to end: prepared, painted coarse to fine, and the result with its recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from torch import Tensor

from gramarye import images, machine, presets, recolor, weights
from gramarye import regions as region_masks
from gramarye.errors import SettingsError
from gramarye.images import Picture
from gramarye.masks import MaskSource
from gramarye.optimize import Step
from gramarye.origins import Source, origin
from gramarye.painting import Change, Painting
from gramarye.regions import Masks
from gramarye.result import Measurement, Result
from gramarye.schedule import Scale, schedule
from gramarye.seeing import least_side, make_network, measure_pixels, seen
from gramarye.settings import Settings
from gramarye.vgg import VGG


class Inputs(TypedDict, total=False):
    """What a painting may be given beside photograph, paintings and settings; see `prepare`."""

    content_mask: MaskSource
    style_masks: Sequence[MaskSource]
    region_content: Mapping[str, float] | None
    start: Source
    changes: Sequence[Change]


class Given(Inputs, total=False):
    """The same, and the file of the network's weights."""

    weights_file: str | Path | None


def prepare(
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    preset: str = "",
    weights_file: str | Path | None = None,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
    content_mask: MaskSource = None,
    style_masks: Sequence[MaskSource] = (),
    region_content: Mapping[str, float] | None = None,
    start: Source = None,
    changes: Sequence[Change] = (),
) -> Painting:
    """Load the pictures and the network and set up a Painting; `style` may be a list of paintings.

    `weights_file` overrides where the network's weights come from; `preset` is the name that the recipe
    records. `content_mask` and one of `style_masks` for each painting tell regions apart (see masks.read),
    `region_content` has the weight of content in a region by its label; where no region is, the photograph stays.
    `start` is the picture to begin with; `changes` are other values of live knobs, (evaluation, {knob: value}) in
    order, see `Painting.change`. Raises ImageError, WeightsError or SettingsError.
    """
    settings = settings or presets.preset("default")
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    photograph, *styles = [images.load(source, max_megapixels=max_megapixels) for source in sources]
    own = None if start is None else images.load(start, max_megapixels=max_megapixels)
    settings = settings if own is None else settings.with_(init="file")
    _check(styles, changes, settings)
    kept = dict(region_content or {})
    masks = region_masks.read(photograph, styles, content_mask, style_masks, kept, max_megapixels=max_megapixels)
    device = machine.choose_device(settings.device)
    loaded = weights.load(settings.network.name, weights_file)
    network = make_network(loaded, settings, device)
    origins = [origin(*pair) for pair in zip(sources, (photograph, *styles), strict=True)]
    painting = Painting(
        content=photograph,
        styles=tuple(_as_painted(*pair, photograph, masks, settings) for pair in enumerate(styles)),
        origins={
            "content": origins[0],
            "styles": origins[1:],
            "content_mask": masks.content.origin if masks else None,
            "style_masks": [mask.origin for mask in masks.styles] if masks else [],
            "region_content": kept,
            "start": None if own is None else origin(start, own),
        },
        settings=settings,
        preset=preset,
        network=network,
        loaded=loaded,
        device=device,
        scales=_scales(photograph, settings, network),
        masks=masks,
        changes=[(evaluation, dict(knobs)) for evaluation, knobs in changes],
    )
    painting.begin(own.pixels if own else None)
    return painting


def _check(styles: Sequence[Picture], changes: Sequence[Change], settings: Settings) -> None:
    if not styles:
        raise SettingsError("a painting is needed to paint in its manner", "none")
    if settings.style.mix and len(settings.style.mix) != len(styles):
        rule = f"style.mix needs one weight for each of the {len(styles)} paintings"
        raise SettingsError(rule, f"{len(settings.style.mix)}", "or set style.mix=")
    if list(changes) != sorted(changes, key=lambda change: change[0]):
        raise SettingsError("changes must be in the order of their evaluations", [change[0] for change in changes])
    for _, knobs in changes:
        settings = settings.with_live(**knobs)


def _scales(photograph: Picture, settings: Settings, network: VGG) -> tuple[Scale, ...]:
    """The schedule without the first sizes if they get no evaluation; at a strength of 0 none is left."""
    size = images.fitted_size(_size(photograph.pixels), settings.size)
    steps = settings.steps if settings.strength else 0
    scales = schedule(size, steps, settings.scales, least_side(network, settings))
    return tuple(scale for scale in scales[:-1] if scale.evaluations) + scales[-1:]


def _as_painted(index: int, style: Picture, photograph: Picture, masks: Masks | None, settings: Settings) -> Picture:
    """A painting in the colours that are painted, with a remark on what its mask has in vain."""
    unused = masks.unused(index) if masks else ()
    remarks = (f"its mask's {', '.join(unused)} is not in the photograph's and not used",) if unused else ()
    pixels = recolor.before(style.pixels, photograph.pixels, settings.color)
    return replace(style, pixels=pixels, notes=(*style.notes, *remarks))


def stylize_steps(
    content: Source, style: Source, settings: Settings | None = None, **given: Unpack[Given]
) -> Iterator[Step]:
    """Paint `content` in the manner of `style`, one Step an evaluation; what else is `given` is told in `prepare`."""
    return prepare(content, style, settings, **given).steps()


def stylize(content: Source, style: Source, settings: Settings | None = None, **given: Unpack[Given]) -> Result:
    """Paint `content` in the manner of `style` and return the Result.

    Both may be paths, PIL images, arrays H W 3 (uint8 or uint16) or tensors 1 3 H W in [0, 1]; `style`
    may be a list. What else may be `given` (masks of regions, a picture to start from, `weights_file`) is told in
    `prepare`. Raises a GramaryeError that says what to mend.
    """
    painting = prepare(content, style, settings, **given)
    for _ in painting.steps():
        pass
    return painting.result()


def measure(
    image: Source,
    content: Source,
    style: Source,
    settings: Settings | None = None,
    *,
    size: int | None = None,
    weights_file: str | Path | None = None,
    **inputs: Unpack[Inputs],
) -> Measurement:
    """Every term's value for any picture under the objective of `settings`, in float32.

    The picture keeps its own size unless `size`, a long side in pixels, says otherwise; the photograph is
    resized to it and the paintings as in a painting of that size. `inputs` are the masks of `prepare`.
    Raises a GramaryeError.
    """
    settings = (settings or presets.preset("default")).with_(precision="float32", init="content")
    pixels = images.load(image).pixels
    if size is not None:
        pixels = images.resize(pixels, images.fitted_size(_size(pixels), size))
    exact = settings.with_(size=max(_size(pixels)), steps=0)
    painting = prepare(content, style, exact, weights_file=weights_file, **inputs)
    objective = painting.objective(_size(pixels))
    terms = measure_pixels(painting.network, objective, seen(pixels, settings).to(painting.device))
    return Measurement(painting.network.network, _size(pixels), terms)


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]
