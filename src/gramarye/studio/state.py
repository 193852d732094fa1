"""What the page is told when it opens: knobs, presets, layers, pictures, runs, limits."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gramarye import __version__
from gramarye.studio import gallery, offers, runs
from gramarye.studio.answers import Answer
from gramarye.studio.studio import Studio
from gramarye.weights import places

NETWORKS = {
    places.FULL_NETWORK: ("VGG-19", "The full network is on this machine, so it is used."),
    places.EMBEDDED_NETWORK: (
        "VGG-19 lite",
        "The small network that is built in: the same layers with a quarter of the channels. For the full one run "
        "gramarye weights fetch vgg19-torchvision, then start the studio again.",
    ),
}


def routes(studio: Studio) -> list[Route]:
    """The one address of the state."""

    def state(request: Request) -> Response:
        answer = Answer(state_of(studio))
        studio.opened.set()
        return answer

    return [Route("/api/state", state)]


def state_of(studio: Studio) -> dict[str, Any]:
    """As `State` in types.ts."""
    network = network_here()
    return {
        "version": __version__,
        "ready": studio.ready,
        "network": network,
        "presets": offers.preset_infos(studio.runs.speed),
        "knobs": offers.knob_infos(),
        "layers": offers.layer_infos(network["name"]),
        "pictures": studio.gallery.pictures(),
        "runs": studio.runs.summaries(),
        "limits": {
            "bytes": gallery.MAX_BYTES,
            "megapixels": gallery.MAX_MEGAPIXELS,
            "suffixes": list(gallery.SUFFIXES),
            "runs": runs.MOST,
        },
    }


def network_here() -> dict[str, str]:
    """The network that will look at the pictures: the full one where its weights are here, as weights.choose has it."""
    full = places.find(places.FULL_NETWORK) is not None
    name = places.FULL_NETWORK if full else places.EMBEDDED_NETWORK
    title, why = NETWORKS[name]
    return {"name": name, "title": title, "why": why}
