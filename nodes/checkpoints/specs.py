"""What loading a checkpoint will give and cost, from the file's header. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from nodegraph.spec import Cost, ModelFacts, Predicted, SpecContext

from .families import FAMILIES
from .families.stable_diffusion_folder import recognise_folder
from .family import Recipe, find_family
from .header import Header, read_header

LOAD_SECONDS = 2e-9
"""Per byte of the file: reading it and converting its numbers."""


def load_checkpoint(checkpoint: Path, ctx: SpecContext) -> Predicted:
    """The models that the family builds."""
    name, recipe = recognise(checkpoint)
    parts = recipe.specs(ctx.precision)
    return Predicted(parts._asdict(), loading(recipe.header), (facts("checkpoint", recipe.header, name),))


def recognise(path: Path) -> tuple[str, Recipe]:
    """What a file or a folder holds, and how it is loaded. Raises the `CheckpointError` that names what is wrong."""
    if path.is_dir():
        folder = recognise_folder(path)
        return folder.family, folder
    family, recipe = find_family(read_header(path), FAMILIES)
    return getattr(recipe, "family", family.name), recipe


def loading(header: Header) -> Cost:
    """Weights are converted one after the other through a buffer, or stay in the file, which is mapped."""
    largest = max(each.end - each.begin for each in header.tensors.values())
    return Cost(working=2 * largest, seconds=LOAD_SECONDS * header.bytes())


def facts(name: str, header: Header, family: str) -> ModelFacts:
    """What a report says of a file. name: of the input that names it."""
    return ModelFacts(
        input=name,
        family=family,
        precision=header.precision(),
        parameters=header.parameters(),
        bytes=header.bytes(),
    )
