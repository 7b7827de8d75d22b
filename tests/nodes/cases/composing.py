"""Conditionings that are limited and composed."""

from __future__ import annotations

from typing import Any

import torch

from nodes.conditioning.composing import combine_conditionings
from nodes.conditioning.limits import limit_to_range, limit_to_rectangle, limit_to_region
from nodes.types import Conditioning, Mask

from ..oracles import conditioning
from . import Case


def mask(batch: int = 1) -> Mask:
    return Mask(values=torch.rand(batch, 1, 6, 4))


def regions(v: Any) -> Conditioning:
    left = limit_to_rectangle(v.prompt("a"), right=0.5)
    return combine_conditionings([left, limit_to_region(v.prompt("the blue sea"), mask())])


def guided(v: Any, **more: Any) -> dict[str, Any]:
    return {"denoiser": v.model.denoiser, "positive": regions(v), **more}


ACCEPTED: list[Case] = [
    ("limit_to_range", lambda v: {"conditioning": v.prompt(), "start": 0.2, "end": 0.7}),
    ("limit_to_range", lambda v: {"conditioning": v.prompt()}),
    ("limit_to_region", lambda v: {"conditioning": v.prompt(), "mask": mask(), "strength": 0.5}),
    ("limit_to_region", lambda v: {"conditioning": v.prompt(), "mask": mask(3)}),
    ("limit_to_rectangle", lambda v: {"conditioning": v.prompt(), "left": 0.5, "strength": 2.0}),
    ("limit_to_rectangle", lambda v: {"conditioning": v.prompt(), "bottom": 0.5, "alone": True}),
    ("limit_to_rectangle", lambda v: {"conditioning": regions(v)}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt(), regions(v)]}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt(["a", "b"]), regions(v)], "weights": [0.0, 1.0]}),
    ("concat_conditionings", lambda v: {"first": regions(v), "second": v.prompt(["a", "b"])}),
    ("average_conditionings", lambda v: {"first": regions(v), "second": v.prompt(["a", "b cat dog"])}),
    ("average_conditionings", lambda v: {"first": v.prompt(), "second": v.prompt("b"), "amount": 1.0}),
    ("average_conditionings", lambda v: {"first": v.prompt(), "second": v.prompt("b"), "amount": 0.0}),
    ("set_picture_size", lambda v: {"conditioning": v.prompt(["a", "b"]), "width": 768}),
    ("classifier_free_guidance", lambda v: guided(v)),
    ("classifier_free_guidance", lambda v: guided(v, scale=1.0)),
    ("classifier_free_guidance", lambda v: guided(v, negative=limit_to_range(v.prompt("b"), end=0.5))),
]

REFUSED: list[Case] = [
    ("limit_to_range", lambda v: {"conditioning": v.prompt(), "start": 0.7, "end": 0.7}),
    ("limit_to_region", lambda v: {"conditioning": v.prompt(["a", "b"]), "mask": mask(3)}),
    ("limit_to_region", lambda v: {"conditioning": regions(v), "mask": mask()}),
    ("limit_to_rectangle", lambda v: {"conditioning": v.prompt(), "left": 0.5, "right": 0.5}),
    ("limit_to_rectangle", lambda v: {"conditioning": v.prompt(), "top": 0.5, "bottom": 0.4}),
    ("combine_conditionings", lambda v: {"conditionings": []}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt(["a", "b"]), v.prompt(["a"] * 3)]}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt(), conditioning(2)]}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt()], "weights": [1.0, 1.0]}),
    ("combine_conditionings", lambda v: {"conditionings": [v.prompt()], "weights": [-1.0]}),
    ("concat_conditionings", lambda v: {"first": v.prompt(), "second": regions(v)}),
    ("concat_conditionings", lambda v: {"first": v.prompt(), "second": conditioning(2)}),
    ("average_conditionings", lambda v: {"first": v.prompt(["a", "b"]), "second": v.prompt(["a"] * 3)}),
]
