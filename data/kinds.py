"""What sort of file each translated picture should become: the sort that its domain consists of."""

from data.base import TranslationDataset
from data.batch import Batch
from util.raster.header import read_header
from util.results import Kind


def kinds_of(batch: Batch, dataset: TranslationDataset) -> list[dict[str, Kind]]:
    """Return for each sample the kinds of "A", the input, and "B", the target; where that has no file, as the input.

    Where the run was given a ``--value_range`` for the target, the results lie in it, too.
    """
    sides = ("B", "A") if dataset.swapped else ("A", "B")
    kinds = []
    for A_path, B_path, known in zip(batch.A_paths, batch.B_paths, batch.headers, strict=True):
        headers = known or [read_header(path) for path in (A_path, B_path or A_path)]
        limits = [dataset.opt.range_of(side) for side in sides]
        kinds.append({name: Kind(header, limit) for name, header, limit in zip("AB", headers, limits, strict=True)})
    return kinds
