"""Images that do not fit into memory at once."""

from inference.large.box import Box
from inference.large.tiling import Tiling, translate_in_parts

__all__ = ["Box", "Tiling", "translate_in_parts"]
