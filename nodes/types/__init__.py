"""The types that travel on wires between diffusion nodes; docs/contracts.md says what each guarantees."""

from .checks import BrokenContract
from .conditioning import Conditioning, Encoding, Entry
from .image import Image, Mask
from .latent import Latent, LatentSpace
from .models import Autoencoder, Denoiser, Patch, TextEncoder
from .sampling import Guider, NoiseSource, Sampler, State
from .sigmas import Sigmas

__all__ = [
    "Autoencoder",
    "BrokenContract",
    "Conditioning",
    "Denoiser",
    "Encoding",
    "Entry",
    "Guider",
    "Image",
    "Latent",
    "LatentSpace",
    "Mask",
    "NoiseSource",
    "Patch",
    "Sampler",
    "Sigmas",
    "State",
    "TextEncoder",
]
