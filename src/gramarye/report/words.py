"""The words of a report for a newcomer: what each section is about, and what every term of the field means."""

from __future__ import annotations

# Two or three sentences before each section's findings.
OPENINGS = {
    "ledger": (
        "A painting is made by going downhill: at every step the computer measures how far the picture is from what "
        "was asked, and changes every pixel a little so that it comes nearer. What was asked is a sum of terms, some "
        "for content and some for style. This is the book of accounts: what each term cost at each step, and how hard "
        "it pulled."
    ),
    "content": (
        "How much of the photograph does a layer remember? To find out, a picture is begun from noise and changed "
        "until that one layer cannot tell it from the photograph. Whatever looks different afterwards is what the "
        "layer does not care about."
    ),
    "textures": (
        "The same experiment with style: from noise, a picture is changed until its Gram matrices are those of the "
        "painting. Nothing says where anything belongs. Compare the layers: what returns of colours, strokes and "
        "motifs, and how large are the motifs?"
    ),
    "features": (
        "A layer holds many channels, each a map of where one kind of thing is in the picture: an edge, a colour, a "
        "curl. Shown here are the strongest channels of each layer, for the photograph, the painting and the result "
        "side by side."
    ),
    "gram": (
        "Style, to the network, is which channels fire together. The Gram matrix has one number for each pair of "
        "channels: large if the two tend to be active in the same places. Painting means making the result's matrix "
        "like the painting's."
    ),
    "shuffling": (
        "If style is only what occurs together, then where it occurs cannot matter. So all positions of a layer are "
        "shuffled, like the cards of a deck, and the style and content terms are measured again."
    ),
    "attribution": (
        "Every term pulls at every pixel. Here is how hard and in which direction: which layer leads where, where "
        "content and style pull against each other, and which details of the photograph were lost in the struggle."
    ),
    "ablation": (
        "What would be different without one layer? The only honest way to know is to leave it out and paint again. "
        "The scores are taken on layers that none of these paintings were asked about, so that none marks its own "
        "work."
    ),
    "landscape": (
        "What was asked can be seen as a landscape with one direction for each pixel, and the painting as a walk "
        "downhill in it. Nobody can draw so many directions; these are cuts along the few in which the walk went."
    ),
    "visualization": (
        "What would a channel like to see most? A picture is begun from noise and changed until the channel fires as "
        "much as it can. The same is done for the leading directions of the Gram matrix: what the painting's style "
        "is made of."
    ),
    "mathematics": (
        "The formulas of the papers with your own numbers in them, worked out by hand and by the computer's automatic "
        "differentiation, side by side. And the whole network, as a table of what it computes."
    ),
    "kernels": (
        "Why should matching Gram matrices work at all? Because it is a way to compare two distributions: the squared "
        "distance of Gram matrices is the same number as a maximum mean discrepancy. If that is so, other ways to "
        "compare distributions should paint too."
    ),
}

# Every term that the page uses: how it is found in a text, and what it means.
GLOSSARY = {
    "activation": (
        r"activations?",
        "The number that a unit of the network gives for one place of a picture: how much of what it looks for is "
        "there.",
    ),
    "channel": (
        r"channels?",
        "One kind of thing that a layer looks for everywhere in the picture. Its answers form a map, the feature map.",
    ),
    "cosine": (
        r"cosines?",
        "How much two directions agree: 1 the same, 0 nothing to do with each other, −1 opposite.",
    ),
    "covariance": (
        r"covariances?",
        "Like the Gram matrix, but after the mean of every channel was taken away.",
    ),
    "eigenvalue": (
        r"eigenvalues?|eigenvectors?",
        "A matrix can be taken apart into directions of its own, each with a strength: the eigenvectors and their "
        "eigenvalues. A few strong ones often say nearly all.",
    ),
    "evaluation": (
        r"evaluations?",
        "One look at the picture: every term is measured, and for every pixel it is worked out which way would help.",
    ),
    "feature map": (r"feature maps?", "A channel's activations, laid out like the picture that they belong to."),
    "gradient": (
        r"gradients?",
        "For every pixel, which change would raise a term fastest, and how fast. Painting goes the opposite way.",
    ),
    "Gram matrix": (
        r"Gram matri(?:x|ces)|Gram",
        "A table with one row and one column for each channel. Each entry tells how much two channels fire in the "
        "same places, added up over all places. Where they fire is forgotten: that is why it describes style.",
    ),
    "kernel": (
        r"kernels?",
        "A rule for how alike two things are. Comparing all pairs by such a rule tells whether two heaps of things "
        "come from the same source.",
    ),
    "layer": (
        r"layers?",
        "One stage of the network. relu3_1 is the first layer of the third of five blocks; each block sees a picture "
        "half as large as the one before, so its units see twice as far.",
    ),
    "L-BFGS": (
        r"L-BFGS",
        "A way of going downhill that remembers the last few steps and guesses the shape of the slope from them.",
    ),
    "loss": (r"loss(?:es)?", "A number for how far a picture is from what was asked; 0 is perfect."),
    "MMD": (
        r"MMD|maximum mean discrepanc(?:y|ies)",
        "Maximum mean discrepancy: a measure of how different two distributions are, here the activations of two "
        "pictures.",
    ),
    "pooling": (r"pool(?:ing|ed)", "Making a map half as large by taking the mean or the maximum of each 2×2 places."),
    "principal component": (
        r"principal components?",
        "The direction in which a cloud of points is longest; the second one is longest at a right angle to it.",
    ),
    "receptive field": (r"receptive fields?", "The patch of the picture that one unit of a layer can see."),
    "ReLU": (r"ReLU", "Rectified linear unit: negative numbers become 0, the others stay."),
    "saliency": (r"saliency", "Which pixels matter most to one unit: where a small change would move it most."),
    "statistic": (
        r"statistics?",
        "A summary of a layer's activations that forgets where they were; the Gram matrix is one.",
    ),
    "term": (r"terms?", "One part of what is asked of the picture, with its layer, its value and its weight."),
    "total variation": (r"total variation", "How much neighbouring pixels differ; asking for little makes it smooth."),
    "unit": (r"units?", "One detector of the network: one channel at one place."),
    "VGG": (
        r"VGG-?\d*|vgg19-lite|vgg\d+",
        "The network that looks: 16 or 19 layers, trained in 2014 to name what is in photographs. vgg19-lite is the "
        "small one that comes with Gramarye; it was trained to see as VGG-19 sees.",
    ),
    "weight": (r"weights?", "How much a term counts beside the others."),
}
