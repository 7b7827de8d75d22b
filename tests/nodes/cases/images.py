"""Pictures that are cut, laid together, filtered, coloured and compared."""

from __future__ import annotations

from typing import get_args

import torch

from nodes.image.composite import BlendMode
from nodes.image.match_colour import Method
from nodes.types import Image, Mask

from . import Case

GREY = Image(pixels=torch.linspace(0, 1, 20).reshape(1, 1, 4, 5))


def ramp(batch: int, height: int, width: int) -> Mask:
    return Mask(values=torch.linspace(0, 1, batch * height * width).reshape(batch, 1, height, width))


ACCEPTED: list[Case] = [
    ("image_size", lambda v: {"image": v.image}),
    ("crop_image", lambda v: {"image": v.image, "left": 3, "top": 2, "width": 21, "height": 14}),
    ("crop_image", lambda v: {"image": v.glass, "width": 8, "height": 8}),
    ("pad_image", lambda v: {"image": v.image, "left": 3, "bottom": 40, "fill": "reflect", "feather": 5}),
    ("pad_image", lambda v: {"image": GREY, "top": 3, "fill": "colour", "colour": "grey"}),
    ("pad_image", lambda v: {"image": GREY, "top": 3, "fill": "colour", "colour": "red"}),
    ("pad_image", lambda v: {"image": v.image, "right": 3, "fill": "colour", "colour": "#00000000"}),
    ("pad_image", lambda v: {"image": v.glass}),
    ("fit_image", lambda v: {"image": v.image, "width": 10, "height": 30}),
    ("fit_image", lambda v: {"image": v.image, "width": 10, "height": 30, "mode": "contain", "colour": "white"}),
    ("fit_image", lambda v: {"image": GREY, "width": 31, "height": 9, "mode": "contain", "colour": "#ff000080"}),
    ("flip_image", lambda v: {"image": v.image}),
    ("rotate_image", lambda v: {"image": v.image}),
    ("rotate_image", lambda v: {"image": v.glass, "degrees": 180}),
    ("composite_images", lambda v: {"base": v.image, "overlay": v.glass, "left": -3, "top": 12}),
    ("composite_images", lambda v: {"base": v.glass, "overlay": v.image, "mask": ramp(2, 16, 24)}),
    ("composite_images", lambda v: {"base": GREY, "overlay": GREY, "mask": ramp(3, 4, 5)}),
    *[
        ("blend_images", lambda v, mode=mode: {"base": v.image, "overlay": v.image, "mode": mode, "amount": 0.7})  # type: ignore[misc]
        for mode in get_args(BlendMode)
    ],
    ("blend_images", lambda v: {"base": v.glass, "overlay": Image(pixels=torch.rand(3, 1, 8, 8)), "mode": "overlay"}),
    ("blend_images", lambda v: {"base": GREY, "overlay": GREY, "mode": "normal", "mask": ramp(2, 4, 5)}),
    ("blur_image", lambda v: {"image": v.glass}),
    ("blur_image", lambda v: {"image": v.image, "sigma": 0.0}),
    ("sharpen_image", lambda v: {"image": v.glass, "amount": 2.0}),
    ("sharpen_image", lambda v: {"image": GREY}),
    ("sharpen_image", lambda v: {"image": v.image, "amount": 0.0}),
    ("adjust_image", lambda v: {"image": v.image}),
    ("adjust_image", lambda v: {"image": GREY, "contrast": 1.5, "saturation": 2.0, "hue": 10.0, "gamma": 0.5}),
    ("adjust_image", lambda v: {"image": v.glass, "brightness": 0.5, "saturation": 0.0, "hue": 180.0}),
    *[
        ("match_colour", lambda v, method=method: {"image": v.image, "reference": v.glass, "method": method})  # type: ignore[misc]
        for method in get_args(Method)
    ],
    ("match_colour", lambda v: {"image": GREY, "reference": v.image, "strength": 0.5}),
    ("match_colour", lambda v: {"image": v.glass, "reference": GREY, "strength": 0.0}),
    ("canny", lambda v: {"image": v.image, "low": 0.1, "high": 0.2, "sigma": 1.0}),
    ("canny", lambda v: {"image": GREY}),
    ("sobel_edges", lambda v: {"image": v.glass}),
    *[
        (
            "compare_images",
            lambda v, view=view: {"first": v.image, "second": Image(pixels=v.image.pixels[:1]), "view": view},
        )  # type: ignore[misc]
        for view in ("difference", "side_by_side", "checker", "split")
    ],
]

REFUSED: list[Case] = [
    ("crop_image", lambda v: {"image": v.image, "left": 20, "width": 5, "height": 5}),
    ("crop_image", lambda v: {"image": v.image, "top": 16, "width": 5, "height": 1}),
    ("pad_image", lambda v: {"image": v.image, "left": 32_767}),
    ("pad_image", lambda v: {"image": v.image, "colour": "no colour"}),
    ("fit_image", lambda v: {"image": v.image, "colour": "#12345"}),
    ("composite_images", lambda v: {"base": v.image, "overlay": v.glass, "mask": ramp(1, 16, 24)}),
    ("composite_images", lambda v: {"base": v.image, "overlay": v.glass, "left": 24}),
    ("composite_images", lambda v: {"base": v.image, "overlay": v.glass, "top": -8}),
    ("composite_images", lambda v: {"base": v.image, "overlay": v.glass, "mask": ramp(3, 8, 8)}),
    ("blend_images", lambda v: {"base": v.image, "overlay": v.glass}),
    ("blend_images", lambda v: {"base": v.glass, "overlay": v.glass, "mask": ramp(1, 4, 5)}),
    ("match_colour", lambda v: {"image": v.image, "reference": Image(pixels=torch.rand(3, 3, 4, 4))}),
    ("canny", lambda v: {"image": v.image, "low": 0.5, "high": 0.4}),
    ("compare_images", lambda v: {"first": v.image, "second": v.glass}),
    ("compare_images", lambda v: {"first": v.glass, "second": v.glass}),
]
