"""What a family of models is, and how a file finds its family. Imports no torch.

A sibling is one module in `families/` and one line in `families/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .errors import CheckpointError, InvalidMatch, NotAMatch, UnknownFamily
from .header import Header
from .kinds import kind_of

if TYPE_CHECKING:
    from ..specs.models import AutoencoderSpec, DenoiserSpec, TextEncoderSpec
    from ..types import Autoencoder, Denoiser, TextEncoder


class Device(NamedTuple):
    """Where weights go, in torch's names: such as "cpu" and "float32"."""

    device: str
    dtype: str


class Parts(NamedTuple):
    """The models in a checkpoint."""

    denoiser: Denoiser
    text_encoder: TextEncoder
    autoencoder: Autoencoder


class PartSpecs(NamedTuple):
    """What is known of the models in a checkpoint that is not loaded."""

    denoiser: DenoiserSpec
    text_encoder: TextEncoderSpec
    autoencoder: AutoencoderSpec


class Recipe(Protocol):
    """A recognised file or folder: everything needed to build its models."""

    @property
    def header(self) -> Header:
        """Of the file, or of all of the folder's."""

    def specs(self, precision: str) -> PartSpecs:
        """What building them would give. precision: of the weights in memory, such as "float32"."""

    def load(self, device: Device) -> Parts:
        """Build the models and read their weights."""


class Family(Protocol):
    """A kind of checkpoint."""

    @property
    def name(self) -> str:
        """For messages."""

    def recognise(self, header: Header) -> Recipe:
        """Decide from names, shapes and metadata.

        Raises NotAMatch where the file is of another family, InvalidMatch where it is of this one and broken.
        """


def find_family(header: Header, families: Iterable[Family]) -> tuple[Family, Recipe]:
    """The one family that recognises a file.

    Raises UnknownFamily with the reasons of all, or InvalidMatch.
    """
    reasons: list[str] = []
    found: list[tuple[Family, Recipe]] = []
    for family in families:
        try:
            found.append((family, family.recognise(header)))
        except NotAMatch as no:
            reasons.append(f"{family.name}: {no}")
    if len(found) > 1:
        names = " and ".join(family.name for family, _ in found)
        raise InvalidMatch(
            header.path, f"both {names} recognise it", "report this file: the families must be told apart"
        )
    if not found:
        seen = ", ".join(f"{count} x {prefix}.*" for prefix, count in sorted(header.prefixes().items())[:12])
        raise UnknownFamily(
            header.path, f"it is {kind_of(header)}; no known model has its tensors ({seen}); {'; '.join(reasons)}"
        )
    return found[0]


__all__ = ["CheckpointError", "Device", "Family", "Parts", "Recipe", "find_family"]
