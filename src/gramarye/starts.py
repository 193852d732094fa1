"""The picture that painting begins with, as `init` says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images, recolor, statistics
from gramarye.errors import SettingsError
from gramarye.fast.paint import FastPainter, painter_for
from gramarye.images import Picture
from gramarye.regions import Regions
from gramarye.settings import Settings

Pixels = Float[Tensor, "1 3 h w"]

OF_PHOTOGRAPH = ("content", "matched", "fast")  # the starts that show the photograph
FEW = 16  # pixels of a region; fewer have no colours to match


def start(
    settings: Settings,
    photograph: Pixels,
    paintings: Sequence[Tensor],
    regions: Regions | None = None,
    own: Tensor | None = None,
    painters: Sequence[FastPainter] = (),
) -> Pixels:
    """The first picture, of the photograph's size; `own` is the one of init=file, `painters` are those of init=fast.

    Below a strength of 1 it lies between the photograph and what `init` says; in grey where only luminance
    is painted. Raises SettingsError for init=file without `own`.
    """
    if settings.init == "fast":
        first = painted(photograph, painters, regions)
    else:
        first = _first(settings, photograph, paintings, regions, own)
    if settings.color == "luminance":
        first = recolor.grey(first)
    return photograph + min(settings.strength, 1.0) * (first - photograph) if settings.strength < 1 else first


def _first(
    settings: Settings, photograph: Tensor, paintings: Sequence[Tensor], regions: Regions | None, own: Tensor | None
) -> Tensor:
    if settings.init == "noise":
        return noise(photograph, settings.noise, settings.seed)
    if settings.init in ("black", "grey"):
        return torch.full_like(photograph, 0.5 if settings.init == "grey" else 0.0)
    if settings.init == "style":
        mix = settings.style.mix or (1.0,)
        return filling(paintings[mix.index(max(mix))], photograph)
    if settings.init == "file":
        if own is None:
            raise SettingsError("init=file needs a picture to start from", "none", "give start (--start)")
        return filling(own.to(photograph), photograph)
    if settings.init == "matched":
        return matched(photograph, paintings, settings.style.mix, regions)
    return photograph.clone()


def noise(like: Pixels, deviation: float, seed: int) -> Pixels:
    """Gaussian noise around 0.5, clipped to [0, 1], of the size of `like`; the same for the same seed anywhere."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(tuple(like.shape), generator=generator)
    return (0.5 + deviation * values).clamp(0, 1).to(like)


def filling(image: Tensor, like: Pixels) -> Pixels:
    """`image`, 1 3 h w, resized until it fills the shape of `like`, what juts out on two sides cut off evenly."""
    height, width = like.shape[2:]
    factor = max(height / image.shape[2], width / image.shape[3])
    size = (max(height, round(image.shape[2] * factor)), max(width, round(image.shape[3] * factor)))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return images.resize(image, size)[:, :, top : top + height, left : left + width].clone()


def matched(
    photograph: Pixels, paintings: Sequence[Tensor], mix: Sequence[float] = (), regions: Regions | None = None
) -> Pixels:
    """The photograph with the colour moments of the paintings: their mean by `mix`, or region by region."""
    if regions is not None:
        return _matched_by_region(photograph, paintings, regions)
    shares = torch.tensor(mix or [1.0] * len(paintings))
    pictures = [statistics.match_color_moments(photograph, painting) for painting in paintings]
    weighted = zip((shares / shares.sum()).tolist(), pictures, strict=True)
    return torch.stack([share * picture for share, picture in weighted]).sum(0)


def _matched_by_region(photograph: Tensor, paintings: Sequence[Tensor], regions: Regions) -> Tensor:
    """Each region with the moments of its counterparts; what is in none stays as it is."""
    result = photograph.clone()
    for number in range(len(regions.labels)):
        inside = regions.picture[0, number] > 0.5
        pairs = zip(paintings, regions.paintings, strict=True)
        colors = torch.cat([painting[0][:, mask[0, number] > 0.5] for painting, mask in pairs], dim=1)
        if min(int(inside.sum()), colors.shape[1]) >= FEW:
            own = photograph[0][:, inside]
            result[0][:, inside] = statistics.match_color_moments(own[None, :, None], colors[None, :, None])[0, :, 0]
    return result


def painters_for(settings: Settings, styles: Sequence[Picture], *, apart: bool = False) -> tuple[FastPainter, ...]:
    """The feed-forward painter of init=fast in the mix of the paintings at full size, or one for each; else none.

    Raises WeightsError when the package lacks its networks.
    """
    if settings.init != "fast":
        return ()
    asked: list[list[Picture]] = [[style] for style in styles] if apart else [list(styles)]
    mix = () if apart else settings.style.mix
    return tuple(painter_for(each, mix=mix, device=settings.device, precision=settings.precision) for each in asked)


def painted(photograph: Pixels, painters: Sequence[FastPainter], regions: Regions | None = None) -> Pixels:
    """What a feed-forward painter paints in one pass, or, region by region, one for each painting.

    x = C + Σ_r m_r·(P_r − C): in each region, with mask m, the mean of what is painted after those that have it.
    """
    if regions is None:
        return painters[0](photograph)
    pictures, result = [painter(photograph) for painter in painters], photograph.clone()
    for number in range(len(regions.labels)):
        pairs = zip(pictures, regions.paintings, strict=True)
        mine = [picture for picture, mask in pairs if float(mask[0, number].max()) > 0]
        result += regions.picture[:, number : number + 1] * (torch.stack(mine).mean(0) - photograph)
    return result.clamp(0, 1)
