"""The presets that reproduce programs: their formulas and numbers, from reading their files."""

from __future__ import annotations

from gramarye.presets.record import GATYS_WIDTHS, UNITS_ESTIMATED, Preset, original

SHORT_SIDE = "size is the picture's long side; there it is the short one"
LEARNED_MOVE = (
    "at the second size L-BFGS begins with a move whose length it has learned at the first; there as at the first"
)
MEAN_PIXEL = (
    "its noise lies around ImageNet's mean colour, of deviation 0.001 on pixels to 256; here it lies around grey "
    "and is as good as none too"
)
EIGHT_BITS = "its pixels run from 0 to 256, so its activations are 0.4 % larger; here to 255"

# 255 times the mean of torchvision's standard deviations .229, .224, .225: how much larger activations are when
# torchvision's network is shown pictures of 0 … 255 without them.
UNSTANDARDISED = 255 * 0.226

GATYS_CODE = original(
    **{
        "network.units": "oxford",
        "style.weight": 1000.0,
        "style.layer_weights": tuple(1 / width**2 for width in GATYS_WIDTHS),
        "style.normalization": "hw",
        "optimizer.range": 255.0,
        "scales.count": 2,
        "scales.shares": (5 / 7, 2 / 7),
        "steps": 700,
    }
)

NEURAL_STYLE = original(
    **{
        "size": 512,
        "steps": 1000,
        "init": "noise",
        "noise": 0.001 / 256,
        "network.units": "oxford",
        "content.weight": 5.0,
        "style.weight": 100.0,
        "style.normalization": "chw",
        "smoothness.reduction": "sum",
        "optimizer.range": 255.0,
    }
)

PROGRAMS: dict[str, Preset] = {
    "gatys-author": Preset(
        GATYS_CODE.with_(**{"size": 800, "scales.factor": 800 / 512}),
        "Gatys, PytorchNeuralStyleTransfer: the author's own program (github.com/leongatys/PytorchNeuralStyleTransfer)",
        (
            SHORT_SIDE,
            "which units its file vgg_conv.pth is in is not said; losses that users print with it are Oxford's",
            LEARNED_MOVE,
        ),
    ),
    "gatys-control": Preset(
        GATYS_CODE.with_(**{"size": 1024, "scales.factor": 2.0}),
        "Gatys, Ecker, Bethge, Hertzmann and Shechtman 2017, “Controlling Perceptual Factors in Neural Style "
        "Transfer”, arXiv:1611.07865, and its program (github.com/leongatys/NeuralImageSynthesis)",
        (
            "size is the picture's long side; there it is the side of a square of the same area",
            "its settings for the normalised network (weights 10⁶ and 2·10⁸, all layers alike) are not these: "
            "--set network.units=normalised --set content.weight=1e6 --set style.weight=2e8 "
            "--set style.layer_weights=1,1,1,1,1",
            "its controls are knobs of their own: color, regions by masks, style.scale",
            LEARNED_MOVE,
        ),
    ),
    "jcjohnson": Preset(
        NEURAL_STYLE.with_(
            **{
                "smoothness.kind": "isotropic",
                "smoothness.exponent": 2.0,
                "smoothness.weight": 1e-3 / 2 * 256**2,
            }
        ),
        "Johnson, neural-style (github.com/jcjohnson/neural-style)",
        (
            MEAN_PIXEL,
            EIGHT_BITS,
            "its total variation has a gradient but no value; the value that belongs to it, ½Σ(dx² + dy²), is counted",
        ),
    ),
    "neural-style-pt": Preset(
        NEURAL_STYLE.with_(
            **{"smoothness.kind": "anisotropic", "smoothness.exponent": 1.0, "smoothness.weight": 1e-3 * 256}
        ),
        "ProGamerGov, neural-style-pt (github.com/ProGamerGov/neural-style-pt)",
        (MEAN_PIXEL, EIGHT_BITS),
    ),
    "crowson": Preset(
        original(
            **{
                "size": 512,
                "steps": 3000,
                "network.units": "torchvision",
                "network.padding": "replicate-first",
                "content.weight": 0.015,
                "style.weight": 1.0,
                "style.statistic": "w2",
                "style.layer_weights": tuple(weight / 341 for weight in (256, 64, 16, 4, 1)),
                "smoothness.weight": 2 / 3,  # of a sum over three channels; hers is 2 of their mean
                "smoothness.kind": "nine-point",
                "optimizer.name": "adam",
                "optimizer.learning_rate": 0.02,
                "optimizer.averaging": 0.99,
                "optimizer.clamp": True,
                "scales.count": 5,
                "scales.factor": 2**0.5,
                "scales.shares": (1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6),
            }
        ),
        "Crowson, style-transfer-pytorch (github.com/crowsonkb/style-transfer-pytorch)",
        (
            UNITS_ESTIMATED,
            "the roots of covariances are exact; there twelve Newton–Schulz steps",
            "diagonal differences are divided by H·W; there by (H+1)·(W+1)",
        ),
    ),
    "gordic": Preset(
        original(
            **{
                "size": 600,
                "steps": 1250,
                "network.units": "torchvision",
                "content.weight": 1e5 * UNSTANDARDISED**2,
                "content.layers": ("conv4_2",),
                "style.weight": 3e4 * UNSTANDARDISED**4,
                "style.normalization": "chw",
                "style.layer_weights": tuple(width**2 / 5 for width in GATYS_WIDTHS),  # sums, not means, there
                "smoothness.weight": 255.0,
                "smoothness.kind": "anisotropic",
                "smoothness.exponent": 1.0,
                "smoothness.reduction": "sum",
                "optimizer.line_search": "strong-wolfe",
                "optimizer.range": 255.0,
            }
        ),
        "Gordić, pytorch-neural-style-transfer (github.com/gordicaleksa/pytorch-neural-style-transfer)",
        (
            UNITS_ESTIMATED,
            "it shows torchvision's network pictures of 0 … 255 without its standard deviations: here its weights are "
            "multiplied by 57.6² (content) and 57.6⁴ (style), and the network's biases keep their usual share",
            "its content layer is named conv4_2, but the ReLU that follows it works in place, which may leave relu4_2; "
            "conv4_2 here",
            "size is the picture's long side: its 400 rows of a photograph of 3:2",
            "its 1000 iterations of L-BFGS are at most 1250 evaluations; here 1250 evaluations",
        ),
    ),
    "pystiche": Preset(
        original(
            **{
                "size": 500,
                "steps": 500,
                "network.units": "torchvision",
                "style.weight": 1000.0,
                "style.normalization": "hw",
            }
        ),
        "Meier and Lohweg, pystiche: its first example (github.com/pystiche/pystiche)",
        (SHORT_SIDE, UNITS_ESTIMATED),
    ),
    "pytorch-tutorial": Preset(
        original(
            **{
                "size": 512,
                "steps": 300,
                "network.units": "torchvision",
                "content.layers": ("conv_4",),
                "style.layers": ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5"),
                "style.layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0),
                "style.weight": 1e6,
                "style.normalization": "chw",
                "optimizer.clamp": True,
            }
        ),
        "Jacq, “Neural Transfer Using PyTorch”, PyTorch tutorials",
        ("both pictures keep their shape; there they are made square", UNITS_ESTIMATED),
    ),
}
