"""The run-time checker of annotations: whole numbers may stand for floats, as PEP 484 has it."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

typechecker = beartype(conf=BeartypeConf(is_pep484_tower=True))
