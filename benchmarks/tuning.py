"""Whether tuning beats the untuned preset by scores that it did not see: five pairs, Joshi and Hu's revised algorithm.

    python benchmarks/tuning.py [FOLDER] [TRIALS]

Content weight, style weight and start are tuned for each pair (128 px, the embedded network, 150 evaluations). What is
minimised and what judges have no score in common; judges look at layers that were not optimised, or through the full
VGG-19 if its weights are beside the checkout. Below 0 % less is lost than with the preset as it is.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

SHARED = Path(__file__).resolve().parents[2] / "shared"
PAIRS = (
    ("dancing.jpg", "picasso_tutorial.jpg"),
    ("golden_gate.jpg", "starry_night_google.jpg"),
    ("chelsea_cat.png", "the_scream.jpg"),
    ("kodim23.png", "great_wave.jpg"),
    ("taj_mahal.jpg", "leger_contrast_of_forms.jpg"),
)
KNOBS = {"size": 128, "steps": 150, "network.name": "vgg19-lite"}


def tunings(folder: Path) -> list:
    """One tuning for each pair."""
    from gramarye.presets import preset
    from gramarye.study import tune
    from gramarye.study.record import Pair
    from gramarye.study.store import Store

    settings = preset("joshi-hu-revised").with_(**KNOBS)
    pictures = SHARED / "images"
    return [
        tune.Tuning(
            Store.open(folder / "store"),
            "tuning",
            Pair(Path(content).stem, str(pictures / "content" / content), str(pictures / "style" / style)),
            "joshi-hu-revised",
            settings,
            tune.ranges(settings),
            alone=True,
        )
        for content, style in PAIRS
    ]


def full_network(folder: Path) -> None:
    """Let the full VGG-19 be one of the judges, if it is at hand."""
    from gramarye import weights as known

    os.environ["GRAMARYE_HOME"] = str(folder / "home")
    weights = SHARED / "weights" / "vgg19_oxford_conv.safetensors"
    if weights.is_file():
        known.import_file(weights)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    full_network(folder)
    from gramarye.study import pruning, tune
    from gramarye.study.wording import word

    print("| pair | trials | given up | content weight | style weight | start | content lost | style missing | both |")
    print("|---|---|---|---|---|---|---|---|---|")
    all_judged = []
    for tuning in tunings(folder):
        for _ in tune.steps(tuning, count, pruning.run):
            pass
        untuned, best = tuning.untuned(), tuning.tuned()
        found = tune.judged(best, untuned, tuning.goal().judges)
        all_judged.append(found["both"])
        records = tuning.records()
        knobs = [word(best.trial.settings.get(knob)) for knob in tune.KNOBS_TUNED]
        percent = [f"{100 * math.expm1(found[kind]):+.0f} %" for kind in ("content", "style", "both")]
        given_up = sum(record.state == "pruned" for record in records)
        print(f"| {' | '.join([tuning.pair.name, str(len(records)), str(given_up), *knobs, *percent])} |", flush=True)
    goal = tuning.goal()
    goals = ", ".join((*goal.content, *goal.style))
    print(f"\ntuned for {goals}; judged by {', '.join(goal.judges)}")
    better = sum(each < 0 for each in all_judged)
    median = 100 * math.expm1(statistics.median(all_judged))
    print(f"better by the judges: {better} of {len(all_judged)}, median {median:+.0f} %")


if __name__ == "__main__":
    main()
