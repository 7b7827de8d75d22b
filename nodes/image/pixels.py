"""Pixels as tensors: conversions that several nodes share. Pure functions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from io import BytesIO

import torch
from jaxtyping import Float, UInt8
from PIL import Image as Pillow
from PIL import ImageCms
from torch import Tensor

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Rec. 709 weights of red, green and blue."""

_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def to_bytes(pixels: Float[Tensor, "*axes"]) -> UInt8[Tensor, "*axes"]:
    """[0, 1] to 0 .. 255: the nearest of the 256 levels, round(255 x), halves to the even one."""
    return (pixels * 255.0).round().clamp(0.0, 255.0).to(torch.uint8)


def to_pillow(pixels: Float[Tensor, "channels height width"]) -> Pillow.Image:
    """One picture of 1, 3 or 4 channels as 8-bit L, RGB or RGBA."""
    channels, height, width = pixels.shape
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    return Pillow.frombytes(mode, (width, height), raw_bytes(to_bytes(pixels).permute(1, 2, 0)))


def raw_bytes(values: Tensor) -> bytes:
    """The elements in the order of their axes, as they lie in memory; works without numpy."""
    dense = values.cpu().contiguous()
    return ctypes.string_at(dense.data_ptr(), dense.numel() * dense.element_size())


def from_pillow(picture: Pillow.Image) -> Float[Tensor, "channels height width"]:
    """Any Pillow picture as float32 in [0, 1]: 1 channel for grey, 3 for colour, 4 where anything may be transparent.

    16-bit grey keeps its 16 bits; "F" counts as already in [0, 1] and is clamped. Everything else is 8-bit: palettes
    are looked up, CMYK, YCbCr, LAB and HSV become RGB, through the embedded profile where there is one.
    """
    if picture.mode in _DEEP_GREY:
        deep = picture.convert("I")
        values = torch.frombuffer(bytearray(deep.tobytes()), dtype=torch.int32).reshape(1, deep.height, deep.width)
        return (values.float() / 65535.0).clamp(0.0, 1.0)
    if picture.mode == "F":
        values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.float32)
        return values.reshape(1, picture.height, picture.width).nan_to_num(0.0).clamp(0.0, 1.0)
    plain = _in_srgb(_plain_mode(picture))
    data = torch.frombuffer(bytearray(plain.tobytes()), dtype=torch.uint8)
    return data.reshape(plain.height, plain.width, -1).permute(2, 0, 1).contiguous().float() / 255.0


def _plain_mode(picture: Pillow.Image) -> Pillow.Image:
    """In mode L, RGB or RGBA, or in CMYK where a profile says how to read it."""
    transparent = picture.has_transparency_data
    if picture.mode in ("L", "RGB", "RGBA") and not (transparent and picture.mode != "RGBA"):
        return picture
    if transparent:
        return picture.convert("RGBA")
    if picture.mode == "CMYK" and picture.info.get("icc_profile"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _in_srgb(picture: Pillow.Image) -> Pillow.Image:
    """Through the embedded colour profile, where there is a readable one; alpha is kept as it is."""
    target = "RGB" if picture.mode in ("RGBA", "CMYK") else picture.mode
    profile = picture.info.get("icc_profile")
    if profile and picture.mode != "L":
        alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
        colours = picture.convert("RGB") if alpha is not None else picture
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):  # a damaged profile, or one for another mode: read as sRGB
            converted = None
        if converted is not None:
            if alpha is not None:
                converted.putalpha(alpha)
            return converted
    return picture.convert(target) if picture.mode == "CMYK" else picture


def to_rgb(pixels: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 3 height width"]:
    """Grey repeated, RGBA laid on white."""
    channels = pixels.shape[1]
    if channels == 1:
        return pixels.expand(-1, 3, -1, -1)
    if channels == 3:
        return pixels
    alpha = pixels[:, 3:]
    return pixels[:, :3] * alpha + (1.0 - alpha)


def with_channels(
    pixels: Float[Tensor, "batch c height width"], channels: int
) -> Float[Tensor, "batch c2 height width"]:
    """As grey (Rec. 709 weights on the gamma-encoded values), RGB, or RGBA (opaque where it was not transparent)."""
    if pixels.shape[1] == channels:
        return pixels
    rgb = to_rgb(pixels)
    if channels == 3:
        return rgb
    if channels == 4:
        return torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1)
    if pixels.shape[1] == 1:
        return pixels
    weights = torch.tensor(LUMINANCE)[:, None, None]
    return (rgb * weights).sum(dim=1, keepdim=True).clamp(0.0, 1.0)


def weighted_by_alpha(
    pixels: Float[Tensor, "batch c height width"], change: Callable[[Tensor], Tensor]
) -> Float[Tensor, "batch c height2 width2"]:
    """What a filter makes of pictures, clamped to [0, 1]; colours are weighted by alpha, so that what is hidden under
    transparency never shows.

    change: linear in the pixels, such as a blur; may change the size.
    """
    if pixels.shape[1] != 4:
        return change(pixels).clamp(0.0, 1.0)
    alpha = pixels[:, 3:]
    result = change(torch.cat([pixels[:, :3] * alpha, alpha], dim=1)).clamp(0.0, 1.0)
    new_alpha = result[:, 3:]
    colours = (result[:, :3] / new_alpha.clamp(min=1e-6)).clamp(0.0, 1.0)
    return torch.cat([torch.where(new_alpha > 0, colours, 0.0), new_alpha], dim=1)
