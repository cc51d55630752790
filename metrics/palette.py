"""Which colour of a label map means which class."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from metrics.images import in_color, levels
from options.errors import UserError

Colour = tuple[int, int, int]
VOID = "void"  # the class that no score counts
LINE = re.compile(r"(?P<name>.+?)[\s,:=]+(?P<r>\d+)[\s,]+(?P<g>\d+)[\s,]+(?P<b>\d+)")

# Cordts et al. 2016, "The Cityscapes Dataset": the 19 classes of the benchmark, and colours that it leaves out
CITYSCAPES: tuple[tuple[str, Colour], ...] = (
    ("road", (128, 64, 128)),
    ("sidewalk", (244, 35, 232)),
    ("building", (70, 70, 70)),
    ("wall", (102, 102, 156)),
    ("fence", (190, 153, 153)),
    ("pole", (153, 153, 153)),
    ("traffic light", (250, 170, 30)),
    ("traffic sign", (220, 220, 0)),
    ("vegetation", (107, 142, 35)),
    ("terrain", (152, 251, 152)),
    ("sky", (70, 130, 180)),
    ("person", (220, 20, 60)),
    ("rider", (255, 0, 0)),
    ("car", (0, 0, 142)),
    ("truck", (0, 0, 70)),
    ("bus", (0, 60, 100)),
    ("train", (0, 80, 100)),
    ("motorcycle", (0, 0, 230)),
    ("bicycle", (119, 11, 32)),
    (VOID, (0, 0, 0)),
    (VOID, (111, 74, 0)),  # dynamic
    (VOID, (81, 0, 81)),  # ground
    (VOID, (250, 170, 160)),  # parking
    (VOID, (230, 150, 140)),  # rail track
    (VOID, (180, 165, 180)),  # guard rail
    (VOID, (150, 100, 100)),  # bridge
    (VOID, (150, 120, 90)),  # tunnel
    (VOID, (0, 0, 90)),  # caravan
    (VOID, (0, 0, 110)),  # trailer
)
# Tylecek and Sara 2013, the CMP facades, in the colours of the pix2pix data set
FACADES: tuple[tuple[str, Colour], ...] = (
    ("background", (0, 0, 222)),
    ("facade", (0, 48, 255)),
    ("window", (0, 128, 255)),
    ("door", (0, 207, 255)),
    ("cornice", (32, 255, 224)),
    ("sill", (112, 255, 142)),
    ("balcony", (192, 255, 63)),
    ("blind", (255, 240, 0)),
    ("deco", (255, 159, 0)),
    ("molding", (255, 80, 0)),
    ("pillar", (255, 0, 0)),
    ("shop", (174, 0, 0)),
)
BUILT_IN: Mapping[str, tuple[tuple[str, Colour], ...]] = MappingProxyType(
    {"cityscapes": CITYSCAPES, "facades": FACADES}
)


class Palette(NamedTuple):
    """The classes of label maps, in the order of a segmenter's outputs.

    Attributes:
        classes: their names; what is void has the number behind the last.
        colours: M x 3 in [0, 255], int64.
        class_of_colour: M numbers of classes, int64.
        source: where it comes from.
    """

    classes: tuple[str, ...]
    colours: Tensor
    class_of_colour: Tensor
    source: str

    def numbers(self, label_maps: Tensor) -> Tensor:
        """Return each pixel's class by the nearest colour (Euclidean, in RGB), the first of equals.

        Args:
            label_maps: N x C x H x W in [0, 1], C 1 or 3; rounded to 8 bits as files are.

        Returns:
            N x H x W in int64.
        """
        pixels = levels(in_color(label_maps, "a label map")).long()
        best = torch.zeros_like(pixels[:, 0])
        least = torch.full_like(best, 4 * 255**2)
        for colour, number in zip(self.colours.to(pixels.device), self.class_of_colour.tolist(), strict=True):
            distance = (pixels - colour[:, None, None]).square().sum(1)  # N x H x W
            nearer = distance < least
            best[nearer] = number
            least = torch.minimum(least, distance)
        return best


def load_palette(setting: str) -> Palette:
    """Return the palette that ``--palette`` names.

    Raises:
        UserError: it is not given, or the file is missing, unreadable or not a palette.
    """
    if not setting:
        raise UserError(f"label maps need --palette: {', '.join(BUILT_IN)}, or a .json or .txt file of names and r,g,b")
    if setting in BUILT_IN:
        return _palette(BUILT_IN[setting], setting)
    path = Path(setting)
    try:
        text = path.read_text(encoding="utf-8")
        entries = _from_json(text) if path.suffix == ".json" else _from_lines(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--palette {setting} cannot be read ({error}); built in are {', '.join(BUILT_IN)}") from error
    except (ValueError, TypeError, AttributeError) as error:
        example = '{"road": [128, 64, 128], "void": [[0, 0, 0], [81, 0, 81]]}'
        raise UserError(
            f"--palette {setting} is no palette ({error}); write {example} in a .json file, or lines such as "
            "road 128,64,128 in a .txt file"
        ) from error
    return _palette(entries, path.name)


def _palette(entries: Sequence[tuple[str, Colour]], source: str) -> Palette:
    classes = tuple(dict.fromkeys(name for name, _ in entries if name != VOID))
    if not classes:
        raise UserError(f"--palette {source} has no class besides {VOID}")
    number = {name: index for index, name in enumerate(classes)} | {VOID: len(classes)}
    colours = torch.tensor([colour for _, colour in entries])
    if len(torch.unique(colours, dim=0)) < len(colours):
        raise UserError(f"--palette {source} has the same colour twice; give each class its own")
    return Palette(classes, colours, torch.tensor([number[name] for name, _ in entries]), source)


def _from_json(text: str) -> list[tuple[str, Colour]]:
    entries = []
    for name, value in json.loads(text).items():
        colours = value if value and isinstance(value[0], list) else [value]
        entries += [(str(name), _colour(name, colour)) for colour in colours]
    return entries


def _from_lines(text: str) -> list[tuple[str, Colour]]:
    entries = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"{line.strip()!r} is not a name and r,g,b")
        entries.append((match["name"], _colour(match["name"], [int(match[c]) for c in "rgb"])))
    return entries


def _colour(name: str, value: Sequence[int]) -> Colour:
    r, g, b = value
    if not all(isinstance(level, int) and 0 <= level <= 255 for level in (r, g, b)):
        raise ValueError(f"{name} has {value}, and levels are whole numbers from 0 to 255")
    return r, g, b
