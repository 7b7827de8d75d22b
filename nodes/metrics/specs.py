"""What scoring will cost, and the checks that it shares with its specs. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from nodegraph import InvalidInput
from nodegraph.spec import Cost, Predicted, Unknown

from ..image.sizes import Sized, check_same_size, common_batch, size_of
from ..models.costs import decoder_pass, encoder_pass, image_tower_pass, text_pass
from ..specs.data import IconDataSpec, TrainedAutoencoderSpec, TrainedMatcherSpec
from ..specs.image import FLOAT32, ImageSpec

AUTOENCODED = 64
"""Pictures that go through an autoencoder together."""

EMBEDDED = 128
"""Pictures that go through a matcher together."""

SSIM_WINDOW = 11
"""Pixels on a side of the window that structural similarity looks through."""

DRAWS = 20
"""Sets of wrong captions per picture."""


def score_autoencoder(autoencoder: TrainedAutoencoderSpec, pictures: IconDataSpec) -> Predicted:
    """All pictures are given back as bytes, then both are compared in float64."""
    config, part = autoencoder.config, min(AUTOENCODED, pictures.count)
    step = config.downscale
    encoded = encoder_pass(config, part, pictures.height, pictures.width)
    decoded = decoder_pass(config, part, pictures.height // step, pictures.width // step)
    network = FLOAT32 * max(encoded.elements, decoded.elements)
    compared = pictures.samples * (1 + 3 * 8)
    work = (encoded.work + decoded.work) * pictures.count / part
    return Predicted({}, Cost(working=autoencoder.own + max(network, compared), work=work))


def score_retrieval(
    matcher: TrainedMatcherSpec,
    image: ImageSpec,
    captions: list[str] | Unknown,
    among: int,
    seed: int | Unknown,
) -> Predicted:
    """The pictures as levels before and after rounding, then one tower after the other, then the draws."""
    if not isinstance(captions, Unknown):
        check_captions(captions, len(image), among)
    config, count = matcher.config, image.batch
    part = min(EMBEDDED, count)
    pictures = image_tower_pass(config, part, image.height, image.width)
    texts = text_pass(config.text, count, config.text.length)
    levels = 2 * FLOAT32 * 3 * count * image.height * image.width
    draws = count * count * (3 * FLOAT32 + 2 * 8)  # similarities, random numbers, their order
    working = matcher.own + max(levels, FLOAT32 * max(pictures.elements, texts.elements), draws)
    work = pictures.work * count / part + texts.work
    return Predicted({}, Cost(working=working, work=work, seconds=DRAWS * count * count * 1e-7))


def check_captions(captions: Sequence[str], pictures: int, among: int) -> None:
    """InvalidInput where there is not one caption for each picture, or too few different ones."""
    if len(captions) != pictures:
        raise InvalidInput("captions", len(captions), f"there are {pictures} pictures", "give one for each")
    different = len(set(captions))
    if different < among:
        raise InvalidInput("among", among, f"there are only {different} different captions", "use fewer")


def compare_images(
    first: ImageSpec,
    second: ImageSpec,
    view: str,
    amplify: float | Unknown,
    tile: int | Unknown,
    position: float | Unknown,
) -> Predicted:
    """A picture of both; one pair at a time is compared in float64."""
    batch = check_compared(first, second)
    width = first.width * (2 if view == "side_by_side" else 1)
    result = ImageSpec(batch=batch, channels=3, height=first.height, width=width)
    pixels = 3 * first.height * first.width
    rgb = 2 * FLOAT32 * batch * pixels if 4 in (first.channels, second.channels) else 0
    return Predicted({"image": result}, Cost(working=rgb + 10 * 8 * pixels, seconds=2e-7 * batch * pixels))


def check_compared(first: Sized, second: Sized) -> int:
    """How many pairs two batches give; InvalidInput where they differ in size or are too small to be compared."""
    check_same_size("second", second, "first", first, "use resize_image or crop_image before")
    if min(first.width, first.height) < SSIM_WINDOW:
        reason = f"structural similarity needs {SSIM_WINDOW} pixels on each side"
        raise InvalidInput("first", size_of(first), reason, "use scale_image before")
    return common_batch(first=first, second=second)
