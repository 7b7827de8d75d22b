"""The colours of pictures made like those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Float64
from pydantic import Field
from torch import Tensor

from nodegraph import Context, Slider, node

from ..types import Image
from . import edit_specs as specs
from .colour import from_lab, from_linear, to_lab, to_linear
from .pixels import with_channels

Method = Literal["mean_std_lab", "mean_std_linear", "histogram", "covariance"]
Points = Float64[Tensor, "3 pixels"]
Weights = Float64[Tensor, " pixels"]

_FLAT = 1e-12
"""A variance below this is that of one colour."""


def moments(points: Points, weights: Weights) -> tuple[Float64[Tensor, "3 1"], Float64[Tensor, "3 3"]]:
    """Mean and covariance of colours; the weights have the sum 1."""
    mean = (points * weights).sum(dim=1, keepdim=True)
    centred = points - mean
    return mean, (centred * weights) @ centred.T


def mean_std(points: Points, weights: Weights, goal: Points, goal_weights: Weights) -> Points:
    """Each channel shifted and scaled to the mean and deviation of the goal, Reinhard et al. 2001, eqs. 10 and 11.

    Where a channel is the same everywhere, only its mean moves.
    """
    (mean, variance), (goal_mean, goal_variance) = moments(points, weights), moments(goal, goal_weights)
    spread, wanted = variance.diagonal()[:, None], goal_variance.diagonal()[:, None]
    gain = torch.where(spread > _FLAT, (wanted / spread.clamp(min=_FLAT)).sqrt(), 1.0)
    return (points - mean) * gain + goal_mean


def covariance(points: Points, weights: Weights, goal: Points, goal_weights: Weights) -> Points:
    """The linear Monge-Kantorovich map, Pitie and Kokaram 2007: mean and covariance become those of the goal, and
    colours move as little as that allows.

    T = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 with covariances A and B. Directions in which the picture does not vary stay.
    """
    (mean, A), (goal_mean, B) = moments(points, weights), moments(goal, goal_weights)
    values, vectors = torch.linalg.eigh(A)
    values = values.clamp(min=0.0)
    varies = values > _FLAT
    root = (vectors * values.sqrt()) @ vectors.T
    inverse = (vectors * torch.where(varies, values.clamp(min=_FLAT).rsqrt(), 0.0)) @ vectors.T
    inner, axes = torch.linalg.eigh(root @ B @ root)
    T = inverse @ (axes * inner.clamp(min=0.0).sqrt()) @ axes.T @ inverse
    result: Points = T @ (points - mean) + goal_mean
    return result


def histogram(points: Points, weights: Weights, goal: Points, goal_weights: Weights) -> Points:
    """Each channel through a rising curve that gives it the goal's distribution of values.

    The curve takes the share of pixels up to a value to the goal's value with the same share, linear in between
    (histogram specification, Gonzalez and Woods, section 3.3).
    """
    channels = []
    for values, wanted in zip(points, goal, strict=True):
        levels, index = torch.unique(values, return_inverse=True)
        goal_levels, goal_index = torch.unique(wanted, return_inverse=True)
        share = torch.zeros_like(levels).index_add(0, index, weights).cumsum(0)
        amount = torch.zeros_like(goal_levels).index_add(0, goal_index, goal_weights)
        there = amount > 0
        channels.append(_interpolated(share, amount[there].cumsum(0), goal_levels[there])[index])
    return torch.stack(channels)


def _interpolated(x: Tensor, known_x: Float[Tensor, " n"], known_y: Float[Tensor, " n"]) -> Tensor:
    """Linear between known points with rising x; level beyond them."""
    if known_x.numel() == 1:
        return known_y.expand_as(x)
    right = torch.searchsorted(known_x, x).clamp(1, known_x.numel() - 1)
    x0, x1, y0, y1 = known_x[right - 1], known_x[right], known_y[right - 1], known_y[right]
    return y0 + (y1 - y0) * ((x - x0) / (x1 - x0)).clamp(0.0, 1.0)


def matched(
    pixels: Float[Tensor, "c height width"], reference: Float[Tensor, "c2 height2 width2"], method: Method
) -> Float[Tensor, "3 height width"]:
    """The colours of one picture after those of another, in float64 and clamped at the end; transparent pixels count
    as much as they show.
    """
    same: Callable[[Tensor], Tensor] = torch.clone
    change, into, back = {
        "mean_std_lab": (mean_std, to_lab, from_lab),
        "mean_std_linear": (mean_std, to_linear, from_linear),
        "histogram": (histogram, same, same),
        "covariance": (covariance, same, same),
    }[method]
    (points, weights), (goal, goal_weights) = _points(pixels, into), _points(reference, into)
    moved = change(points, weights, goal, goal_weights)
    return back(moved[None])[0].reshape(3, *pixels.shape[1:]).float().clamp(0.0, 1.0)


def _points(pixels: Tensor, into: Callable[[Tensor], Tensor]) -> tuple[Points, Weights]:
    """The colours of a picture in a colour space, and how much each counts; all the same where nothing shows."""
    flat = pixels.double().flatten(1)
    colours = flat[:3] if flat.shape[0] >= 3 else flat.expand(3, -1)
    weights = flat[3] if flat.shape[0] == 4 and bool(flat[3].any()) else torch.ones_like(colours[0])
    return into(colours[None])[0], weights / weights.sum()


@node(category="image/colour", lane="cpu", spec=specs.match_colour)
def match_colour(
    image: Image,
    reference: Image,
    ctx: Context,
    method: Method = "mean_std_lab",
    strength: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 1.0,
) -> Image:
    """Give pictures the colours of others

    image: what is changed; its transparency is kept, grey becomes RGB.
    reference: has the colours, of any size; one picture, or one for each.
    method: mean_std_lab and mean_std_linear move mean and spread of each channel, in CIE Lab (Reinhard) or linear RGB;
        histogram gives each channel the same distribution; covariance also takes over how channels go together
        (Monge-Kantorovich).
    strength: 0 leaves the picture as it is, 1 is the whole effect.
    """
    batch = specs.matched_batch(image, reference)
    pixels = with_channels(image.pixels, max(3, image.channels)).expand(batch, -1, -1, -1)
    if strength == 0:
        return Image(pixels=pixels.contiguous())
    goals = reference.pixels.expand(batch, -1, -1, -1)
    result = []
    for number, (one, goal) in enumerate(zip(pixels, goals, strict=True)):
        ctx.progress(number, batch)
        colours = torch.lerp(one[:3], matched(one, goal, method), strength)
        result.append(torch.cat([colours, one[3:]]))
    return Image(pixels=torch.stack(result).clamp(0.0, 1.0))
