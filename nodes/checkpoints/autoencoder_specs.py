"""What loading an autoencoder alone will give and cost, from the file's header. Imports no torch."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nodegraph import InvalidInput
from nodegraph.spec import Predicted, SpecContext

from ..models.ldm_autoencoder_costs import ldm_autoencoder_parameters, ldm_decoder_pass, ldm_encoder_pass
from ..specs.models import AutoencoderSpec
from .header import Header, read_header
from .kinds import DIFFUSERS_AUTOENCODER, LDM_AUTOENCODER, kind_of
from .ldm_autoencoder import DROPPED, PREFIX, AutoencoderFile, SpaceName, compute_dtype, latent_space
from .specs import facts, loading

FAMILY = "autoencoder of Stable Diffusion"


def load_autoencoder(checkpoint: Path, space: SpaceName, ctx: SpecContext) -> Predicted:
    """The autoencoder that the file holds."""
    header = read_header(checkpoint)
    spec = autoencoder_spec(autoencoder_file(header), space, ctx.precision)
    return Predicted({"autoencoder": spec}, loading(header), (facts("checkpoint", header, FAMILY),))


def autoencoder_file(header: Header) -> AutoencoderFile:
    """A file that holds an autoencoder and nothing else; InvalidInput where it is something else.

    Raises the `CheckpointError` that names what is wrong with an autoencoder.
    """
    kind = kind_of(header)
    if kind not in (LDM_AUTOENCODER, DIFFUSERS_AUTOENCODER):
        raise InvalidInput(
            "checkpoint",
            header.path.name,
            f"it is {kind}, no autoencoder",
            "choose a VAE file, or load a whole checkpoint with load_checkpoint and use its autoencoder",
        )
    prefixed = all(name.startswith((PREFIX, *DROPPED)) for name in header.tensors)
    return AutoencoderFile.of(header, PREFIX if prefixed else "")


def autoencoder_spec(file: AutoencoderFile, space: SpaceName, precision: str) -> AutoencoderSpec:
    """What building it gives. precision: the wanted one."""
    return AutoencoderSpec(
        family=FAMILY,
        precision=compute_dtype(space, precision),
        parameters=ldm_autoencoder_parameters(file.config),
        space=latent_space(space, file.config),
        encode=partial(ldm_encoder_pass, file.config),
        decode=partial(ldm_decoder_pass, file.config),
    )
