"""Measure this machine: `make bench`, or `python benchmarks/run.py [SECTION…]`.

Sections: rates, evaluation, memory, painting, descent, start, studio. Every figure comes from a process of its own;
what is compared is measured by turns in the same run and given as a ratio, because machines are noisy.
Photographs, paintings and VGG-19's weights are read from ../shared; without it the bundled picture and the
embedded network are measured alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gramarye import cost, demo, weights

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"
FULL = SHARED / "weights" / "vgg19_oxford_conv.safetensors"
SECTIONS = ("rates", "evaluation", "memory", "painting", "descent", "start", "studio")


def measure(kind: str, **options: Any) -> dict[str, Any]:
    """One measurement in a process of its own."""
    given = {"content": demo.photograph(), "style": demo.styles()[0], **options}
    words = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, str(HERE / "measure.py"), kind, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def networks() -> dict[str, Path]:
    """The networks that are here: lite always, the full VGG-19 where its weights are."""
    here = {"vgg19-lite": weights.embedded()}
    return {"vgg19": FULL, **here} if FULL.is_file() else here


def rates() -> dict[str, Any]:
    found = measure("rates")
    for name, rate in found.items():
        print(f"{name:24} {rate:8.0f} GFLOP/s")
    return found


def evaluation() -> dict[str, Any]:
    """Seconds of one evaluation to relu5_1, plain and ours by turns, and the share of the machine's rate."""
    convolution = measure("rates")
    fastest = max(convolution["convolution float32"], convolution["convolution bfloat16"])
    found: dict[str, Any] = {}
    for size in (256, 512):
        for name, file in networks().items():
            times: dict[str, list[float]] = {"plain-evaluation": [], "evaluation": []}
            for _ in range(2):
                for kind, seen in times.items():
                    seen.append(measure(kind, size=size, weights=file, repeats=7)["seconds"])
            plain, ours = (statistics.median(seen) for seen in times.values())
            work = 4 * cost.multiplications(name, "relu5_1") * size**2 / 1e9  # forward, and back to the pixels
            found[f"{name} {size}"] = {"plain": plain, "ours": ours, "ratio": plain / ours}
            print(
                f"{name:11} {size}²  plain {plain:6.3f} s   ours {ours:6.3f} s   {plain / ours:4.1f}×"
                f"   {work / ours:5.0f} GFLOP/s, {100 * work / ours / fastest:3.0f} % of the fastest convolution"
            )
    if FULL.is_file():
        print(f"lite against full at 512²: {found['vgg19 512']['ours'] / found['vgg19-lite 512']['ours']:.1f}×")
    return found


def memory() -> dict[str, Any]:
    """The peak of memory of a few evaluations at one size."""
    found = {}
    for size in (256, 512, 1024):
        for name, file in networks().items():
            peak = measure("painting", size=size, weights=file, repeats=4)["memory_mb"]
            found[f"{name} {size}"] = peak
            print(f"{name:11} {size:5} px  peak {peak:6.0f} MB")
    return found


def painting() -> dict[str, Any]:
    """Whole paintings with the default preset, start-up excluded."""
    found = {}
    for name, sizes in (("vgg19-lite", (384, 768)), ("vgg19", (768,))):
        for size in sizes:
            if name in networks():
                seconds = measure("painting", size=size, weights=networks()[name])["seconds"]
                found[f"{name} {size}"] = seconds
                print(f"{name:11} {size:5} px  painted in {seconds:6.1f} s")
    return found


def descent() -> dict[str, Any]:
    """Time to the loss that the tutorial's loop ends at after 300 evaluations, 512², full VGG-19."""
    if not FULL.is_file():
        print(f"descent needs {FULL}: skipped")
        return {}
    pictures = {
        "content": SHARED / "images" / "content" / "dancing.jpg",
        "style": SHARED / "images" / "style" / "picasso_tutorial.jpg",
    }
    plain = measure("plain-descent", size=512, weights=FULL, repeats=300, **pictures)
    ours = measure("descent", size=512, weights=FULL, target=plain["loss"], **pictures)
    share = f"{ours['seconds'] / plain['seconds']:.3f} of its time" if ours["seconds"] else "not reached"
    print(f"plain loop: loss {plain['loss']:.4g} after {plain['seconds']:.0f} s; ours there: {ours} · {share}")
    return {"plain": plain, "ours": ours}


def start() -> dict[str, Any]:
    """Start-up: `gramarye --help`, and the whole demo."""
    program = Path(sys.executable).with_name("gramarye")
    times = [timed([str(program), "--help"]) for _ in range(7)]
    print(f"gramarye --help          {statistics.median(times):6.2f} s")
    seconds = timed([str(program), "demo", "--out", str(HERE.parent / "bench" / "demo"), "--quiet"])
    print(f"gramarye demo            {seconds:6.1f} s")
    return {"help": statistics.median(times), "demo": seconds}


def studio() -> dict[str, Any]:
    """The studio against its budgets; see `studio.py`."""
    return {"within": subprocess.run([sys.executable, str(HERE / "studio.py")], check=False).returncode == 0}


def timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sections", nargs="*", default=SECTIONS, help=", ".join(SECTIONS))
    options = parser.parse_args()
    found = {}
    for section in options.sections:
        print(f"— {section}", flush=True)
        found[section] = globals()[section]()
    out = HERE.parent / "bench"
    out.mkdir(exist_ok=True)
    (out / "figures.json").write_text(json.dumps(found, indent=1))
    print(f"wrote {out / 'figures.json'}")


if __name__ == "__main__":
    main()
