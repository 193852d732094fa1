"""Named settings, each with its source and with what it does otherwise than its source."""

from __future__ import annotations

from dataclasses import dataclass

from gramarye.errors import SettingsError, unknown_name
from gramarye.settings import Settings


@dataclass(frozen=True)
class Preset:
    """Settings with where they come from."""

    settings: Settings
    source: str
    departures: tuple[str, ...] = ()


# Tuned by looking, on pairs of ../shared with both networks. Beside Gatys' layers, relu3_2
# keeps faces and small things, relu1_2 and relu2_2 keep fine texture from turning into beads, and the chroma
# term takes away coloured speckle.
DEFAULT = Settings().with_(
    **{
        "content.layers": ("relu3_2", "relu4_2"),
        "content.layer_weights": (0.3, 0.7),
        "style.layers": ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu4_1", "relu5_1"),
        "style.weight": 30.0,
        "smoothness.weight": 4.0,
        "smoothness.chroma": 80.0,
        "smoothness.box": 10.0,
    }
)

PRESETS: dict[str, Preset] = {
    "default": Preset(DEFAULT, "Gramarye's own: coarse to fine, balanced at the start"),
    "draft": Preset(
        DEFAULT.with_(size=384, steps=120),
        "Gramarye's own: the default in a few seconds",
    ),
    "large": Preset(
        DEFAULT.with_(**{"size": 1536, "steps": 240, "scales.count": 4, "scales.shares": (0.4, 0.3, 0.2, 0.1)}),
        "Gramarye's own: the default for a print",
    ),
    "gatys-2015": Preset(
        Settings().with_(
            **{
                "size": 512,
                "steps": 500,
                "init": "noise",
                "balance": "raw",
                "precision": "float32",
                "network.name": "auto",
                "network.pooling": "avg",
                "network.padding": "zeros",
                "content.layers": ("conv4_2",),
                "content.reduction": "sum",
                "style.layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
                "style.layer_weights": (0.2, 0.2, 0.2, 0.2, 0.2),
                "style.weight": 1000.0,
                "style.normalization": "gatys",
                "optimizer.history": 100,
                "scales.count": 1,
                "scales.shares": (),
            }
        ),
        "Gatys, Ecker, Bethge 2015, “A Neural Algorithm of Artistic Style”, arXiv:1508.06576",
        (
            "each Gram matrix is divided by the positions of its own picture, which is the paper's formula "
            "when both pictures have the same size",
        ),
    ),
    "pytorch-tutorial": Preset(
        Settings().with_(
            **{
                "size": 512,
                "steps": 300,
                "init": "content",
                "balance": "raw",
                "precision": "float32",
                "network.pooling": "max",
                "network.padding": "zeros",
                "content.layers": ("conv_4",),
                "content.weight": 1.0,
                "style.layers": ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5"),
                "style.layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0),
                "style.weight": 1e6,
                "style.normalization": "chw",
                "optimizer.history": 100,
                "optimizer.clamp": True,
                "scales.count": 1,
                "scales.shares": (),
            }
        ),
        "Jacq, “Neural Transfer Using PyTorch”, PyTorch tutorials",
        ("weights were tuned for torchvision's VGG-19, whose activations are smaller than Oxford's",),
    ),
}


def preset(name: str) -> Settings:
    """The settings of a preset by name; raises SettingsError with the nearest known name."""
    return find(name).settings


def find(name: str) -> Preset:
    """The preset with its source and departures; raises SettingsError with the nearest known name."""
    if name not in PRESETS:
        raise SettingsError(*unknown_name("preset", name, PRESETS))
    return PRESETS[name]
