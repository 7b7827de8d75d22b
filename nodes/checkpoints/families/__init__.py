"""The families of checkpoints that are known. Imports no torch. A sibling is one module here and one line below."""

from ..family import Family
from .flow_dit import FlowDiT
from .stable_diffusion import StableDiffusion

FAMILIES: tuple[Family, ...] = (FlowDiT(), StableDiffusion())
