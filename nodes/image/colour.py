"""Colour spaces: sRGB, linear light and CIE Lab. Pure functions on any float dtype; channels on axis 1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""Linear RGB with the primaries of Rec. 709 to CIE XYZ, rows X, Y, Z."""

WHITE = (0.95047, 1.0, 1.08883)
"""XYZ of the white point D65, 2 degree observer."""

_LIMIT = 6.0 / 29.0


def to_linear(srgb: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Gamma-encoded values in [0, 1] to linear light, IEC 61966-2-1."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0.0) + 0.055) / 1.055) ** 2.4)


def from_linear(linear: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Linear light to gamma-encoded values; below 0 the straight piece goes on."""
    bent = 1.055 * linear.clamp(min=0.0031308) ** (1.0 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, bent)


def to_lab(srgb: Float[Tensor, "batch 3 *axes"]) -> Float[Tensor, "batch 3 *axes"]:
    """CIE 1976 L*a*b* of gamma-encoded RGB: L from 0 to 100, grey has a = b = 0."""
    xyz = _mixed(to_linear(srgb), _matrix(srgb) / _white(srgb)[:, None])
    f = torch.where(xyz > _LIMIT**3, xyz.clamp(min=_LIMIT**3) ** (1.0 / 3.0), xyz / (3.0 * _LIMIT**2) + 4.0 / 29.0)
    x, y, z = f.unbind(1)
    return torch.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], dim=1)


def from_lab(lab: Float[Tensor, "batch 3 *axes"]) -> Float[Tensor, "batch 3 *axes"]:
    """Gamma-encoded RGB of L*a*b*; what sRGB cannot show lies outside [0, 1]."""
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16.0) / 116.0
    f = torch.stack([y + a / 500.0, y, y - b / 200.0], dim=1)
    xyz = torch.where(f > _LIMIT, f**3, 3.0 * _LIMIT**2 * (f - 4.0 / 29.0))
    return from_linear(_mixed(xyz, torch.linalg.inv(_matrix(lab) / _white(lab)[:, None])))


def _matrix(like: Tensor) -> Float[Tensor, "3 3"]:
    return torch.tensor(TO_XYZ, dtype=like.dtype)


def _white(like: Tensor) -> Float[Tensor, " 3"]:
    return torch.tensor(WHITE, dtype=like.dtype)


def _mixed(colours: Float[Tensor, "batch 3 *axes"], matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "batch 3 *axes"]:
    """Each colour times a matrix, from the left."""
    return torch.einsum("ij,bj...->bi...", matrix, colours)
