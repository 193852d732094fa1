"""Paint the bundled style pictures: `python training/painting.py [NAME…] --out DIR`.

Every picture is made by this project's own code from a fixed seed; no other artwork is used.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

import numpy as np

from painting.materials import save

SEEDS = {"swirl": 11, "mosaic": 5, "woodcut": 7, "pointillist": 3, "watercolour": 9, "cubist": 8}


def main() -> None:
    """Paint the named styles (default: all) and say what was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(SEEDS)} (default: all)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "src/gramarye/demo")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - set(SEEDS):
        parser.error(f"no style called {', '.join(sorted(unknown))}; there are {', '.join(SEEDS)}")
    wanted.out.mkdir(parents=True, exist_ok=True)
    for name in wanted.names or SEEDS:
        start = time.perf_counter()
        picture = importlib.import_module(f"painting.{name}").paint(np.random.default_rng(SEEDS[name]))
        size = save(picture, wanted.out / f"{name}.jpg")
        height, width = picture.shape[:2]
        print(f"{name}.jpg  {width}x{height}  {size // 1000} kB  {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
