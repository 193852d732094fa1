"""Do the papers' claims hold? Content fades with depth; style needs all layers. On every picture of ../shared.

    python benchmarks/claims.py [--full] [--size 128] [--evaluations 150] [--seed 0] [--only content|textures] [--json]

content    The photograph rebuilt from relu1_1 … relu5_1, one layer at a time (Gatys et al. 2015, fig. 1): the error in
           the pixels, levels of 255, and whether it rises at every step; and the same after the best gain and
           offset for each colour.
textures   Textures from the cumulative sets of the five layers and from each alone: the mean relative distance of Gram
           matrices, in per cent, at every ReLU that was not asked for, and whether all five are the closest.

Both are what `gramarye.explain` computes, with the default's pooling and padding. With the embedded network, or the
full VGG-19 with `--full`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gramarye import images, machine, presets, weights
from gramarye.explain import content, reconstruction, textures
from gramarye.layers import STYLE_LAYERS
from gramarye.pulling import finish
from gramarye.seeing import make_network
from gramarye.vgg import VGG

SHARED = Path(__file__).parents[2] / "shared"
FULL = SHARED / "weights" / "vgg19_oxford_conv.safetensors"


@dataclass(frozen=True)
class Eyes:
    """The network in its fastest precision, to descend with, and in float32, to measure with."""

    fast: VGG
    exact: VGG


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the full VGG-19 instead of the embedded network")
    parser.add_argument("--size", type=int, default=128, help="long side in pixels")
    parser.add_argument("--evaluations", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("content", "textures"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    machine.keep_memory()
    eyes = open_eyes(options.full)
    found = {}
    for name, claim in (("content", fading), ("textures", together)):
        if options.only in (None, name):
            rows = []
            for row in claim(eyes, options):
                rows.append(row)
                if not options.json:
                    print(line(row), flush=True)
            found[name] = rows
            if not options.json:
                print(f"{name}: the claim holds for {sum(row['holds'] for row in rows)} of {len(rows)}\n", flush=True)
    if options.json:
        print(json.dumps(found))


def open_eyes(full: bool) -> Eyes:
    settings = presets.preset("default")
    loaded = weights.read(FULL if full else weights.embedded())
    device = torch.device("cpu")
    exact = make_network(loaded, settings.with_(precision="float32"), device)
    return Eyes(make_network(loaded, settings, device), exact)


def pictures(folder: str, size: int) -> Iterator[tuple[str, torch.Tensor]]:
    for path in sorted((SHARED / "images" / folder).iterdir()):
        if path.suffix in (".jpg", ".png"):
            pixels = images.load(path).pixels
            yield path.stem, images.resize(pixels, images.fitted_size((pixels.shape[2], pixels.shape[3]), size))


def fading(eyes: Eyes, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a photograph: the errors in the pixels from each layer."""
    for name, photograph in pictures("content", options.size):
        start = reconstruction.noise((photograph.shape[2], photograph.shape[3]), options.seed)
        kept = [
            finish(content.keep(eyes.fast, photograph, layer, start, options.evaluations, measured=eyes.exact))
            for layer in STYLE_LAYERS
        ]
        errors = [255 * each.pixel_error for each in kept]
        matched = [255 * each.matched_error for each in kept]
        yield {
            "picture": name,
            "errors": errors,
            "matched": matched,
            "of_mean_colour": 255 * content.deviation_of(photograph),
            "features": [100 * each.rebuilt.error for each in kept],
            "holds": errors == sorted(errors),
            "holds_matched": matched == sorted(matched),
        }


def together(eyes: Eyes, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a painting: the held-out distances of the cumulative sets, and those of each layer alone."""
    for name, painting in pictures("style", options.size):
        start = reconstruction.noise((painting.shape[2], painting.shape[3]), options.seed)
        found = finish(textures.synthesise(eyes.fast, painting, start, options.evaluations, measured=eyes.exact))
        every = (found.together, *found.others)
        closest = [min(every, key=lambda texture: texture.held_out[layer]).name for layer in found.held_out_layers]
        yield {
            "picture": name,
            "cumulative": [100 * textures.distance(texture) for texture in found.cumulative],
            "alone": [100 * textures.distance(texture) for texture in found.alone],
            "half": 100 * sum(found.of_half.values()) / max(len(found.of_half), 1),
            "closest": dict(zip(found.held_out_layers, closest, strict=True)),
            "holds": found.all_is_closest,
        }


def line(row: dict[str, Any]) -> str:
    parts = [f"{row['picture']:32}", "yes" if row["holds"] else "NO "]
    for key, values in row.items():
        if isinstance(values, list):
            parts.append(f"{key} " + " ".join(f"{value:5.1f}" for value in values))
    if "closest" in row:
        won = sum(name == "relu1_1 to relu5_1" for name in row["closest"].values())
        parts.append(f"closest at {won} of {len(row['closest'])}")
    return "  ".join(parts)


if __name__ == "__main__":
    main()
