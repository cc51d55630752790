"""The flags that fit a data set."""

import math
import shlex
from collections.abc import Iterator, Sequence

import numpy as np

from data.checking.findings import Checked
from data.checking.one_file import Seen
from data.checking.partners import Mode, unequal_pairs

_MODELS = {"unaligned": "cycle_gan", "aligned": "pix2pix", "colorization": "colorization"}
_COLORS = {"gray": 1, "gray+alpha": 1, "rgb": 3, "cmyk": 3}  # alpha and black are left out, where nobody asks for them


def command(root: str, checked: Sequence[Checked], mode: Mode) -> str:
    """Return what to type to train, or to translate a plain folder of images with a trained run."""
    if mode == "single":
        return shlex.join(["python", "test.py", "--model", "test", "--name", "RUN", "--dataroot", root])
    words = ["python", "train.py", "--model", _MODELS[mode], "--dataroot", root, "--dataset_mode", mode]
    return shlex.join([*words, *flags(checked, mode)])


def flags(checked: Sequence[Checked], mode: Mode) -> list[str]:
    """Return the flags beside ``--dataset_mode`` that differ from their defaults, for ``--direction AtoB``."""
    first = [one for one in checked if one.source.phase == checked[0].source.phase]
    words: list[str] = []
    if mode != "colorization":
        for side, name in (("A", "--input_nc"), ("B", "--output_nc")):
            channels = sum(_channels(one) for one in _of_side(first, side))
            if channels not in (0, 3):
                words += [name, str(channels)]
    sizes = {(seen.header.width, seen.header.height) for one in checked for _, seen in one.readable()}
    if len(sizes) > 1 and not (mode == "aligned" and unequal_pairs(checked)):
        words += ["--preprocess", "scale_shortside_and_crop"]
    return [*words, *_value_ranges(checked)]


def value_range(seen: Sequence[Seen]) -> str | None:
    """Return the LOW,HIGH that covers all values; None where the type says enough."""
    deep = [one for one in seen if one.header.dtype != np.uint8]
    if not deep:
        return None
    low, high = min(one.low for one in deep), max(one.high for one in deep)
    if any(one.header.dtype.kind == "f" for one in deep):
        return None if low >= 0 and high <= 1 else f"{_outwards(low, -1):g},{_outwards(high, 1):g}"
    if low < 0:
        return f"{low:.0f},{high:.0f}"
    top = (1 << max(1, int(high).bit_length())) - 1
    return None if top == 65535 and all(one.header.dtype == np.uint16 for one in deep) else f"0,{top}"


def _value_ranges(checked: Sequence[Checked]) -> Iterator[str]:
    """Yield one flag for both sides, or one for each that needs it; with "=", since a value may begin with a minus."""
    sides = {side: [seen for one in _of_side(checked, side) for _, seen in one.readable()] for side in "AB"}
    ranges = {side: value_range(seen) for side, seen in sides.items() if seen}
    texts = set(ranges.values())
    if len(texts) == 1:
        yield from (f"--value_range={text}" for text in texts if text is not None)
    else:
        yield from (f"--value_range_{side}={text}" for side, text in ranges.items() if text is not None)


def _channels(checked: Checked) -> int:
    """Return the fewest channels that keep all colours of a source."""
    headers = {(seen.header.color, seen.header.channels) for _, seen in checked.readable()}
    if {color for color, _ in headers} == {"rgba"}:
        return 4
    return max((_COLORS.get(color, 3 if color == "rgba" else count) for color, count in headers), default=0)


def _of_side(checked: Sequence[Checked], side: str) -> list[Checked]:
    return [one for one in checked if one.source.side in ("", side)]


def _outwards(value: float, direction: int) -> float:
    """Round to four digits so that the value stays covered."""
    if value == 0:
        return 0.0
    unit: float = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    return (math.ceil if direction > 0 else math.floor)(value / unit) * unit
