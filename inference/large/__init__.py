"""Images that do not fit into memory at once."""

from inference.large.box import Box
from inference.large.tiling import MODES, Mode, Tiling, translate_in_parts

__all__ = ["MODES", "Box", "Mode", "Tiling", "translate_in_parts"]
