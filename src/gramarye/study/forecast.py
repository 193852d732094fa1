"""What a study will take, told before it begins: time and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gramarye import cost, layers
from gramarye.schedule import schedule
from gramarye.settings import Settings
from gramarye.study.record import Trial
from gramarye.transfer import prepare

PROBE = 128  # long side, in pixels, of the painting that is timed
# Measured on the bundled plans: bytes of a painting as PNG and of one term at one step; what a trial takes beside
# painting, in seconds: preparing, scoring, writing.
BYTES_PER_PIXEL = 2.4
BYTES_PER_NUMBER = 46.0
SECONDS_BESIDE = 0.4


@dataclass(frozen=True)
class Forecast:
    """Predicted seconds for one process at a time, and bytes of disk; `paintings` differ, however many trials."""

    paintings: int
    seconds: float
    disk: float


def forecast(trials: Sequence[Trial]) -> Forecast:
    """What painting the trials will take, each different one once.

    One short painting is timed for every network and statistic; others are in proportion to their pixels,
    evaluations and multiplications. Raises a GramaryeError for what cannot be painted.
    """
    rates: dict[tuple[str, str, str, str], float] = {}
    seconds = disk = 0.0
    different = list({trial.key: trial for trial in trials}.values())
    for trial in different:
        settings = trial.settings
        kind = (settings.network.name, settings.style.statistic, settings.device, settings.precision)
        if kind not in rates:
            rates[kind] = _seconds_a_multiplication(trial)
        work = _multiplications(settings)
        numbers = settings.steps * (len(settings.content.layers) + len(settings.style.layers))
        seconds += rates[kind] * work + SECONDS_BESIDE
        disk += BYTES_PER_PIXEL * settings.size**2 + BYTES_PER_NUMBER * numbers
    return Forecast(len(different), seconds, disk)


def _multiplications(settings: Settings) -> float:
    """Multiply–accumulate operations of all evaluations, forward, of a square picture."""
    sizes = schedule((settings.size, settings.size), settings.steps, settings.scales)
    return _per_pixel(settings) * sum(scale.size[0] * scale.size[1] * scale.evaluations for scale in sizes)


def _per_pixel(settings: Settings) -> float:
    network = settings.network.name
    names = [layers.resolve(name, network) for name in (*settings.content.layers, *settings.style.layers)]
    return cost.multiplications(network, layers.deepest(tuple(names), network))


def _seconds_a_multiplication(trial: Trial) -> float:
    """Measured on a small picture of the trial."""
    changes = {"size": min(trial.settings.size, PROBE), "steps": 3, "scales.count": 1, "scales.shares": ()}
    settings = trial.settings.with_(**changes)
    painting = prepare(trial.pair.content, trial.pair.style, settings)
    height, width = painting.scales[-1].size
    return cost.predict(painting).seconds / (3 * height * width * _per_pixel(settings))
