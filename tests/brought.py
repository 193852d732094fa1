"""A small subject with a random network, and how a section is told about it."""

from __future__ import annotations

import json
from collections.abc import Callable

import torch
from torch import Tensor

from gramarye import weights
from gramarye.explain.section import Section
from gramarye.explain.subject import Subject, bring
from gramarye.presets import preset
from gramarye.pulling import Work
from gramarye.vgg import VGG
from networks import picture, random_weights

CONTENT, STYLE, RESULT = picture(48, 64, 1), picture(56, 64, 2), picture(48, 64, 3)


def double(**options: object) -> VGG:
    """A random network in float64."""
    return VGG(random_weights(), dtype=torch.float64, **options)


def brought(monkeypatch: object, *, result: Tensor = RESULT, **knobs: object) -> Subject:
    """Three random pictures, seen by a random network."""
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    return bring(result, CONTENT, STYLE, preset("default").with_(**knobs))


def told(explain: Callable[[Subject, str], Work[Section]], subject: Subject, depth: str = "quick") -> Section:
    """What a section found, having checked that it yields rising fractions and that its numbers are plain JSON."""
    work, done = explain(subject, depth), []
    while True:
        try:
            done.append(next(work))
        except StopIteration as end:
            found = end.value
            break
    assert done
    assert done == sorted(done)
    assert min(done) >= 0
    assert max(done) <= 1
    json.dumps(found.numbers(), allow_nan=False)
    assert found.findings
    assert all(finding.endswith(".") for finding in found.findings)
    return found
