"""The presets that reproduce papers: their formulas and numbers, and what a knob cannot say."""

from __future__ import annotations

from gramarye.presets.record import GATYS_WIDTHS, UNITS_ESTIMATED, Preset, original

SAME_SIZE = (
    "each Gram matrix is divided by the positions of its own picture, which is the paper's formula when both pictures "
    "have the same size"
)
NOT_SQUARE = "both pictures keep their shape; there they are made 512×512"

# Gatys, Ecker and Bethge 2015: ½Σ(F−P)² and 1/(4N²M²)·Σ(G−A)², β/α = 10³, w_l = 1/5.
GATYS = original(
    **{
        "size": 512,
        "steps": 500,
        "init": "noise",
        "network.units": "oxford",
        "network.pooling": "avg",
        "content.layers": ("conv4_2",),
        "content.reduction": "sum",
        "style.layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
        "style.layer_weights": (0.2, 0.2, 0.2, 0.2, 0.2),
        "style.weight": 1000.0,
        "style.normalization": "gatys",
    }
)

# Joshi and Hu's Table 1: the PyTorch tutorial, with average pooling.
JOSHI_HU = original(
    **{
        "size": 512,
        "steps": 300,
        "network.units": "torchvision",
        "network.pooling": "avg",
        "content.layers": ("conv_4",),
        "content.weight": 1.0,
        "style.layers": ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5"),
        "style.layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0),
        "style.weight": 1e6,
        "style.normalization": "chw",
        "optimizer.clamp": True,
    }
)

# The Keras example divides the plain Gram matrices' Σ(S−C)² by 4·3²·(rows·columns)². With M = rows·columns/4^(b−1)
# positions in block b that is N²/9/16^(b−1) times 1/(4N²M²)·Σ(G−A)², shared among five layers.
KERAS_SHARES = tuple(width**2 / 9 / 16**block / 5 for block, width in enumerate(GATYS_WIDTHS))
# relu5_1 in place of relu5_2: the ratio of their mean squared activations in Oxford's VGG-19, (94.745 / 197)².
RELU5_2_FOR_RELU5_1 = 0.2313

PAPERS: dict[str, Preset] = {
    "gatys-2015": Preset(
        GATYS,
        "Gatys, Ecker, Bethge 2015, “A Neural Algorithm of Artistic Style”, arXiv:1508.06576",
        (
            SAME_SIZE,
            "the paper says neither how many evaluations nor how its noise is drawn",
            "the version of 2016 has activations normalised in every filter; with ½Σ(F−P)² as printed, normalised "
            "activations leave the photograph as it is (α·L_content grows with s², β·L_style with s⁴), so the "
            "activations here are the published network's; --set network.units=normalised has a mean of 1 a layer",
        ),
    ),
    "konakanchi": Preset(
        GATYS.with_(
            **{
                "init": "content",
                "network.pooling": "max",
                "smoothness.weight": 5e6,
                "smoothness.reduction": "sum",
            }
        ),
        "Konakanchi, Banahan, Montano and Rajkumar, “Interpreting Neural Networks in Artistic Style Transfer” (poster)",
        (
            SAME_SIZE,
            "the poster gives the formulas and L-BFGS alone: layers, weights, size and evaluations are Gatys' of 2015",
            "it gives no formula for the total variation: Σ(dx² + dy²), about a hundredth of the content term",
        ),
    ),
    "joshi-hu-baseline": Preset(
        JOSHI_HU,
        "Joshi and Hu, “Interpretable Neural Style Transfer using VGG Architectures”, Table 1",
        (NOT_SQUARE, UNITS_ESTIMATED),
    ),
    "joshi-hu-revised": Preset(
        JOSHI_HU.with_(
            **{
                "steps": 600,
                "content.layers": ("relu_5",),
                "content.distance": "l1",
                "style.layers": ("relu_1", "relu_2", "relu_3", "relu_4", "relu_5"),
                "style.layer_weights": (1.0, 1.0, 1.0, 1.0, 1.0),
                "style.distance": "l1",
                "style.weight": 1e4,
                "optimizer.name": "adam",
                "optimizer.learning_rate": 0.05,
                "optimizer.beta2": 0.999,
                "shifting.fraction": 0.97,
                "shifting.degrees": 2.0,
            }
        ),
        "Joshi and Hu, “Interpretable Neural Style Transfer using VGG Architectures”, Table 4",
        (
            NOT_SQUARE,
            UNITS_ESTIMATED,
            "content weight, style weight and start are tuned for every pair there: here 1, 10⁴ and the "
            "photograph, to be tuned",
            "how much is cropped and turned is not said: 0.97, the best of Table 2, and at most 2°",
        ),
    ),
    "keras": Preset(
        original(
            **{
                "size": 533,
                "steps": 4000,
                "network.units": "oxford",
                "content.layers": ("relu5_1",),
                "content.reduction": "sum",
                "content.weight": 2 * 2.5e-8 * RELU5_2_FOR_RELU5_1,  # Σ there, ½Σ here
                "style.weight": 1e-6,
                "style.layer_weights": KERAS_SHARES,
                "style.normalization": "gatys",
                "smoothness.weight": 1e-6 * 255**2.5,
                "smoothness.kind": "isotropic",
                "smoothness.exponent": 2.5,
                "smoothness.reduction": "sum",
                "optimizer.name": "sgd",
                "optimizer.learning_rate": 100.0,
                "optimizer.range": 255.0,
                "optimizer.decay": 0.96,
                "optimizer.decay_every": 100,
            }
        ),
        "Vong 2020, “Understanding Neural Style Transfer”, with the settings of Chollet's Keras example "
        "(keras.io/examples/generative/neural_style_transfer)",
        (
            "its content layer is block5_conv2, which lies beyond the embedded network: relu5_1 with a weight 0.2313 "
            "times as large; with --network vgg19: --set content.layers=relu5_2 --set content.weight=5e-8",
            "size is the picture's long side: its 400 rows of a photograph of 4:3",
            "the painting keeps its shape, and its Gram matrices are taken per position; there it is made as large "
            "as the photograph",
        ),
    ),
    "gradient-descent": Preset(
        GATYS.with_(**{"init": "content", "optimizer.name": "sgd", "network.pooling": "max"}),
        "Banahan, “Interpreting Neural Networks in Artistic Style Transfer” (slides): x ← x − η∇L",
        (
            SAME_SIZE,
            "the slides give the formulas and the update: layers, weights, size and evaluations are Gatys' of 2015",
            "η is not given: such that the first step moves pixels by 0.01 of white, root mean square",
        ),
    ),
    "vgg19-primer": Preset(
        GATYS.with_(
            **{
                "steps": 1000,
                "init": "content",
                "network.pooling": "max",
                "optimizer.name": "adam",
                "optimizer.learning_rate": 0.02,
                "optimizer.beta2": 0.999,
            }
        ),
        "“Neural Style Transfer”, a paper that explains VGG-19, with analytic gradients and pictures of epochs",
        (
            SAME_SIZE,
            "the paper gives the formulas alone: layers, weights and size are Gatys' of 2015, gradient descent is Adam "
            "with a rate of 0.02",
            "an epoch is taken as 100 evaluations, as in TensorFlow's tutorial: its pictures are those after 100, 500 "
            "and 1000",
        ),
    ),
    "nnst": Preset(
        original(
            **{
                "size": 512,
                "steps": 1000,
                "init": "matched",
                "balance": "start",
                "network.units": "own",
                "content.weight": 1.0,
                "style.statistic": "nearest",
                "style.layers": ("relu1_2", "relu2_2", "relu3_3", "relu4_2"),
                "style.layer_weights": (),
                "style.weight": 1.0,
                "optimizer.name": "adam",
                "optimizer.learning_rate": 0.01,
                "optimizer.beta2": 0.999,
                "optimizer.clamp": True,
                "scales.count": 4,
                "scales.factor": 2.0,
                "scales.smallest": 64,
                "scales.shares": (0.2, 0.2, 0.2, 0.4),
            }
        ),
        "in the spirit of Kolkin, Kucera, Paris, Sýkora, Shechtman and Shakhnarovich 2022, “Neural Neighbor Style "
        "Transfer”, arXiv:2203.13215",
        (
            "each layer of VGG-19 is matched by itself, and its activations' squared distance is minimised; there all "
            "layers of VGG-16 are one vector, the cosine is matched and minimised, and layers are split in a last pass",
            "pixels are optimised, with a rate of 0.01; there a Laplacian pyramid of eight levels, with 0.002",
            "the photograph is kept by a content term of weight 1; there by what is matched (α = 0.75)",
            "the painting is not turned by 90°, 180° and 270°",
            "colours are matched at the start; there afterwards",
        ),
    ),
    "strotss": Preset(
        original(
            **{
                "size": 512,
                "steps": 1000,
                "init": "matched",
                "balance": "start",
                "network.units": "own",
                "content.layers": ("relu3_2", "relu4_2"),
                "style.statistic": "sliced-w",
                "style.layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
                "style.layer_weights": (),
                "style.weight": 4.0,
                "optimizer.name": "adam",
                "optimizer.learning_rate": 0.01,
                "optimizer.beta1": 0.0,
                "optimizer.clamp": True,
                "scales.count": 4,
                "scales.factor": 2.0,
                "scales.smallest": 64,
                "scales.shares": (0.25, 0.25, 0.25, 0.25),
            }
        ),
        "in the spirit of Kolkin, Salavon and Shakhnarovich 2019, “Style Transfer by Relaxed Optimal Transport and "
        "Self-Similarity”, arXiv:1904.12785",
        (
            "style is the sliced Wasserstein distance of each layer; there a relaxed earth mover's distance of "
            "hypercolumns, moments and colours",
            "content is the squared distance of activations, of one weight at every scale; there that of "
            "self-similarities, halved from scale to scale",
            "pixels are optimised by Adam without momentum at 0.01; there a Laplacian pyramid by RMSprop at 0.002",
            "VGG-19; there VGG-16",
        ),
    ),
}
