"""Recipes inside pictures, as they are told."""

from __future__ import annotations

from typing import BinaryIO

from .picture_checks import TAKEN, open_picture
from .schemas_pictures import FoundRecipe


def recipe_in(file: BinaryIO) -> FoundRecipe:
    """The recipe inside a picture. Raises NotAPicture, PictureTooLarge or NoRecipe."""
    from ..recipe import Recipe

    open_picture(file, TAKEN)  # closing it would close the file
    file.seek(0)
    recipe = Recipe.read(file, source="the picture")
    about = recipe.model_dump(mode="json", exclude={"workflow"})
    return FoundRecipe(workflow=recipe.workflow.to_document(), **about)
