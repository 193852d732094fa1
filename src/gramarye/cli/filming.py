"""What paints a film: the fast painter or the optimisation, as the command line asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramarye.cli import painting as shared
from gramarye.errors import SettingsError, unknown_name
from gramarye.knobs import checked, knobs_of

if TYPE_CHECKING:
    from gramarye.settings import Settings
    from gramarye.video.frames import Film
    from gramarye.video.sequence import Painter
    from gramarye.video.settings import TemporalSettings

LARGEST = 8  # scale
TEMPORAL = "temporal."  # the knobs that are not those of a picture
PAINTERS = ("fast", "optimise")
RANGES = {"fast": "1", "optimise": "1,2,4"}  # what is not given; Ruder et al. 2016 for the second


@dataclass(frozen=True)
class Asked:
    """What the command line asks of the painter."""

    painter: str
    styles: Sequence[str]
    mix: str | None = None
    strength: float | None = None
    network: str | None = None
    device: str | None = None
    preset: str | None = None
    knobs: Sequence[str] | None = None

    def check(self) -> None:
        """Raises SettingsError for a painter that does not exist, and for options that it does not have."""
        if self.painter not in PAINTERS:
            raise SettingsError(*unknown_name("painter", self.painter, PAINTERS))
        others = [each for each in self.knobs or () if not _is_temporal(each)]
        if self.painter == "fast" and (self.preset or others):
            received = f"--preset {self.preset}" if self.preset else f"--set {others[0]}"
            rule = "presets and their knobs are the optimisation's"
            raise SettingsError(rule, received, "add --painter optimise, or leave it out")

    def files(self) -> list[str | Path]:
        """What is read beside the film, as far as it is named by a path."""
        return [each for each in (*self.styles, self.network) if each and Path(each).exists()]

    def temporal(self) -> TemporalSettings:
        """The knobs that begin with temporal."""
        from gramarye.video.settings import TemporalSettings

        known = {each.name: each for each in knobs_of(TemporalSettings, TEMPORAL)}
        values: dict[str, Any] = {}
        for assignment in filter(_is_temporal, self.knobs or ()):
            name, equals, value = assignment.partition("=")
            if not equals:
                raise SettingsError("--set takes KNOB=VALUE", repr(assignment), "for example --set temporal.blend=0.5")
            if name.strip() not in known:
                raise SettingsError(*unknown_name("knob", name.strip(), known))
            values[name.strip().removeprefix(TEMPORAL)] = checked(known[name.strip()], value)
        return TemporalSettings(**values)

    def settings(self, size: int | None) -> Settings:
        """The optimisation's settings; raises SettingsError."""
        return shared.settings_from(
            self.preset or "default",
            size=size,
            network=self.network,
            device=self.device,
            strength=self.strength,
            mix=self.mix,
            knobs=[each for each in self.knobs or () if not _is_temporal(each)],
        )


@dataclass(frozen=True)
class Brush:
    """A painter with what decides its pixels, `identity`, as JSON, and its name for people."""

    painter: Painter
    identity: dict[str, Any]
    name: str


def _is_temporal(assignment: str) -> bool:
    return assignment.strip().startswith(TEMPORAL)


def long_side(asked: Asked, film: Film, size: int | None, scale: float | None) -> int:
    """The long side of the painted frames in pixels; raises SettingsError.

    Unless it is given it is the film's own for the fast painter, and that of the settings, if not larger than the
    film's, for the optimisation.
    """
    own = max(film.size)
    if size is not None and scale is not None:
        raise SettingsError("--size and --scale say the same", f"{size} and {scale:g}", "leave one of them out")
    if scale is not None:
        if not 0 < scale <= LARGEST:
            raise SettingsError(f"--scale must be above 0 and at most {LARGEST}", f"{scale:g}", "0.5 is half the size")
        return max(1, round(own * scale))
    if asked.painter == "optimise":
        wanted = asked.settings(size).size
        return wanted if size is not None else min(own, wanted)
    return own if size is None else size


def range_from(text: str | None, painter: str) -> tuple[int, ...]:
    """The frames to look back, by comma; raises SettingsError."""
    words = (RANGES[painter] if text is None else text).split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise SettingsError("--range takes frames to look back, by comma", repr(text), "for example --range 1,2,4")
    from gramarye.video.sequence import FARTHEST

    found = tuple(int(word) for word in words)
    if not all(1 <= each <= FARTHEST for each in found):
        raise SettingsError(
            f"--range counts frames back, from 1 to {FARTHEST}", repr(text), "for example --range 1,2,4"
        )
    return found


def brush(asked: Asked, size: int) -> Brush:
    """The painter that was asked for, for frames with this long side; raises a GramaryeError."""
    return _fast(asked) if asked.painter == "fast" else _optimised(asked, size)


def _fast(asked: Asked) -> Brush:
    from gramarye.checkpoint import identity
    from gramarye.fast.paint import painter_for
    from gramarye.settings import Settings
    from gramarye.video.painters import Fast

    temporal, mix = asked.temporal(), Settings().with_(**{"style.mix": asked.mix or ""}).style.mix
    painter = painter_for(
        list(asked.styles),
        mix=mix,
        network=asked.network,
        device=asked.device or "auto",
        strength=1.0 if asked.strength is None else asked.strength,
    )
    network = painter.network
    decides = {
        "styles": [dict(each) for each in painter.origins],
        "mix": list(mix),
        "strength": painter.strength,
        "style_size": painter.style_size,
        "temporal": {"blend": temporal.blend, "tolerance": temporal.tolerance},
        "network": network.sha256,
        "device": str(painter.device),
        "precision": str(painter.dtype),
    }
    name = f"fast, {network.name}, {painter.device}"
    return Brush(Fast(painter, temporal.blend, temporal.tolerance), {"painter": "fast", **identity(decides)}, name)


def _optimised(asked: Asked, size: int) -> Brush:
    from gramarye import images, machine, weights
    from gramarye.video.painters import Optimised

    settings, temporal, preset = asked.settings(size), asked.temporal(), asked.preset or "default"
    styles = [_file_of(each) for each in asked.styles]
    decides = {
        "styles": [images.load(each).sha256 for each in styles],
        "settings": settings.to_dict(),
        "temporal": {"weight": temporal.weight, "steps": temporal.steps},
        "network": weights.load(settings.network.name).sha256,
        "device": str(machine.choose_device(settings.device)),
    }
    name = f"optimise, preset {preset}, {weights.choose(settings.network.name).reason}"
    return Brush(Optimised(styles, settings, temporal, preset=preset), {"painter": "optimise", **decides}, name)


def _file_of(style: str) -> str:
    """A painting's file; a bundled one is named demo:NAME."""
    from gramarye import demo

    return str(demo.path_of(style.removeprefix(demo.PREFIX))) if style.startswith(demo.PREFIX) else style
