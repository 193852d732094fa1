"""Does painting with lite please the full network? `python benchmarks/quality.py [--size 256] [--out DIR]`.

Eight pairs of ../shared are painted with vgg19-lite and with VGG-19, same settings and evaluations. Both pictures
are then measured with the full VGG-19 in float32: the style terms (squared Gram distances relative to the photograph's
own, summed with their weights; the style distance is the root of that), the content terms, and their likeness to the
photograph (SSIM, kornia).
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch
from kornia.metrics import ssim

from gramarye import images, machine, presets
from gramarye.report.sheet import Cell, contact_sheet
from gramarye.transfer import measure, prepare
from run import FULL, SHARED, networks

PAIRS = (
    ("tubingen.jpg", "starry_night_google.jpg"),
    ("golden_gate.jpg", "great_wave.jpg"),
    ("hoovertowernight.jpg", "the_scream.jpg"),
    ("kodim19.png", "vg_wheat_field_cypresses.jpg"),
    ("kodim23.png", "mondrian.jpg"),
    ("astronaut.png", "woman_with_a_hat_matisse.jpg"),
    ("dancing.jpg", "picasso_tutorial.jpg"),
    ("taj_mahal.jpg", "composition_vii_large.jpg"),
)


def compare(content: Path, style: Path, size: int) -> tuple[dict[str, Any], list[Cell]]:
    """Paint one pair with both networks and measure both pictures with the full one."""
    settings = presets.preset("default").with_(size=size)
    row: dict[str, Any] = {"pair": f"{content.stem} × {style.stem}"}
    cells = []
    for name, file in networks().items():
        job = prepare(content, style, settings, weights_file=file)
        for _ in job.steps():
            pass
        result = job.result()
        found = measure(result.pixels, content, style, settings, weights_file=FULL)
        row[name] = {
            "style": sum(term["weighted"] for term in found.terms if term["kind"] == "style"),
            "content": sum(term["weighted"] for term in found.terms if term["kind"] == "content"),
            "ssim": likeness(result.pixels, content),
            "seconds": result.seconds,
        }
        cells.append(Cell(f"{content.stem} · {name}", result.pixels, inset=images.load(style).pixels))
    return row, cells


def likeness(pixels: torch.Tensor, content: Path) -> float:
    """The mean structural similarity of luma between a painting and its photograph."""
    photograph = images.resize(images.load(content).pixels, (pixels.shape[2], pixels.shape[3]))
    luma = [each.mean(1, keepdim=True) for each in (pixels, photograph)]
    return float(ssim(luma[0], luma[1], 11).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path("bench"))
    options = parser.parse_args()
    if not FULL.is_file():
        raise SystemExit(f"this needs {FULL}")
    machine.keep_memory()
    rows, cells = [], []
    for content, style in PAIRS:
        images_folder = SHARED / "images"
        row, pair = compare(images_folder / "content" / content, images_folder / "style" / style, options.size)
        row["loss ratio"] = row["vgg19-lite"]["style"] / row["vgg19"]["style"]
        row["ratio"] = row["loss ratio"] ** 0.5
        rows.append(row)
        cells += pair
        print(f"{row['pair']:45} lite ÷ full: distance {row['ratio']:.2f}, loss {row['loss ratio']:.2f}", flush=True)
    median = {name: statistics.median(row[name] for row in rows) for name in ("ratio", "loss ratio")}
    print(f"median: distance {median['ratio']:.2f}, loss {median['loss ratio']:.2f}")
    options.out.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, options.out / "quality.png", columns=4)
    (options.out / "quality.json").write_text(json.dumps({"median": median, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
