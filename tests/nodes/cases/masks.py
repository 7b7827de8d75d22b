"""Masks made, changed and used."""

from __future__ import annotations

from nodes.types import Mask

from . import Case
from .images import GREY, ramp

ACCEPTED: list[Case] = [
    ("image_to_mask", lambda v: {"image": v.image}),
    ("image_to_mask", lambda v: {"image": v.glass, "channel": "alpha", "threshold": 0.3}),
    ("image_to_mask", lambda v: {"image": GREY, "channel": "green"}),
    ("mask_to_image", lambda v: {"mask": ramp(2, 3, 4)}),
    ("invert_mask", lambda v: {"mask": ramp(2, 3, 4)}),
    ("threshold_mask", lambda v: {"mask": ramp(2, 3, 4)}),
    *[
        ("combine_masks", lambda v, how=how: {"first": ramp(1, 3, 4), "second": ramp(2, 3, 4), "how": how})  # type: ignore[misc]
        for how in ("union", "intersection", "difference", "add", "multiply")
    ],
    ("resize_mask", lambda v: {"mask": ramp(2, 3, 4), "width": 7, "height": 5}),
    ("rectangle_mask", lambda v: {"image": v.image, "left": 3, "top": 4, "width": 500, "height": 2, "feather": 3}),
    ("rectangle_mask", lambda v: {"mask_width": 300, "mask_height": 200}),
    ("ellipse_mask", lambda v: {"image": v.image, "left": -3, "top": 4, "width": 9, "height": 9, "feather": 3}),
    ("grow_mask", lambda v: {"mask": ramp(2, 3, 4)}),
    ("grow_mask", lambda v: {"mask": ramp(2, 3, 4), "pixels": -1, "shape": "square"}),
    ("blur_mask", lambda v: {"mask": ramp(2, 3, 4)}),
    ("crop_to_mask", lambda v: {"image": v.image, "mask": ramp(1, 16, 24)}),
]

REFUSED: list[Case] = [
    ("image_to_mask", lambda v: {"image": v.image, "channel": "alpha"}),
    ("combine_masks", lambda v: {"first": ramp(1, 3, 4), "second": ramp(1, 4, 3)}),
    ("combine_masks", lambda v: {"first": ramp(3, 3, 4), "second": ramp(2, 3, 4)}),
    ("rectangle_mask", lambda v: {"image": v.image, "left": 24}),
    ("ellipse_mask", lambda v: {"image": v.image, "top": -40, "height": 40}),
    ("crop_to_mask", lambda v: {"image": v.image, "mask": ramp(1, 24, 16)}),
    ("crop_to_mask", lambda v: {"image": v.image, "mask": ramp(3, 16, 24)}),
    ("crop_to_mask", lambda v: {"image": v.image, "mask": Mask(values=ramp(1, 16, 24).values * 0)}),
]
