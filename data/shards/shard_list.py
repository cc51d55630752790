"""Find the shards of a data set, and how many samples each holds.

``sizes.json`` beside the shards says it: ``{"train-000000.tar": 1000, ...}``. Without it, shards on this machine are
counted once; the counts are kept in the user's cache folder, and hold as long as a shard keeps its size and time.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from data.files.memory import Memory, file_stamp
from data.shards.reading import Shard, count_samples
from data.shards.source import beside, expanded, is_local, labels_of, opened, reason_of, rest
from options.errors import UserError

log = logging.getLogger(__name__)

SIZES = "sizes.json"


def names_shards(dataroot: str) -> bool:
    """Tell whether ``--dataroot`` names the shards themselves, and not the folder of their folders."""
    return not is_local(dataroot) or dataroot.endswith(".tar")


def shards_in(folder: str, *, hint: str) -> list[Shard]:
    """Return the shards of a folder, by their names.

    Raises:
        UserError: there are none, or one cannot be read; ends with ``hint``.
    """
    if not os.path.isdir(folder):
        raise UserError(f"there is no folder {folder}; {hint}")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".tar") and not name.startswith("."))
    if not names:
        raise UserError(f"there are no shards (.tar) in {folder}; {hint}")
    place = os.path.join(folder, SIZES)
    known = _table(place) if os.path.exists(place) else {}
    if lost := sorted(set(known) - set(names)):
        log.warning("%s names %d shards that are not there, %s for one", place, len(lost), lost[0])
    counts = {**_counted(folder, [name for name in names if name not in known]), **known}
    return _not_empty([Shard(os.path.join(folder, name), name, counts[name], counts[name]) for name in names], folder)


def shards_at(url: str) -> list[Shard]:
    """Return the shards that a URL or a path with braces names, in that order.

    Raises:
        UserError: ``sizes.json`` beside them is missing or lacks one of them.
    """
    urls = expanded(url)
    tables: dict[str, Mapping[str, int]] = {}
    shards = []
    for one, label in zip(urls, labels_of(urls), strict=True):
        place, name = beside(one, SIZES), label.rpartition("/")[2]
        if place not in tables:
            tables[place] = {} if is_local(one) and not os.path.exists(place) else _table(place)
        count = tables[place].get(name)
        if count is None and not is_local(one):
            raise UserError(f"{place} does not say how many samples {name} holds; add it, as in {_example(name)}")
        count = count_samples(one) if count is None else count
        shards.append(Shard(one, label, count, count))
    return _not_empty(shards, url)


def first_samples(shards: Sequence[Shard], limit: float) -> list[Shard]:
    """Keep the first ``limit`` samples."""
    kept, room = [], limit
    for shard in shards:
        used = int(min(shard.count, room))
        if used:
            kept.append(replace(shard, used=used))
        room -= used
    return kept


def _not_empty(shards: Sequence[Shard], where: str) -> list[Shard]:
    filled = [shard for shard in shards if shard.count]
    if not filled:
        raise UserError(f"the shards in {where} hold no images; make them with python -m datasets.make_shards")
    return filled


def _table(place: str) -> Mapping[str, int]:
    try:
        with opened(place) as stream:
            table = json.loads(rest(stream))
    except (json.JSONDecodeError, UnicodeDecodeError):
        table = None
    except UserError:
        raise  # it says what is missing here, not there
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot read {place} ({reason_of(error)}); shards of another machine need it beside them, to say how many "
            f"samples each holds: {_example('train-000000.tar')}"
        ) from error
    if not isinstance(table, dict) or not all(type(count) is int and count >= 0 for count in table.values()):
        raise UserError(f"{place} is no table of shards and their numbers of samples, such as {_example('0.tar')}")
    return table


def _example(name: str) -> str:
    return json.dumps({name: 1000})


def _counted(folder: str, names: Sequence[str]) -> dict[str, int]:
    """Count the samples of shards, or remember what was counted before."""
    keys = {name: f"{name} {file_stamp(os.path.join(folder, name))}" for name in names}
    memory = Memory("shards", os.path.abspath(folder))
    known = _known(memory)
    fresh = [name for name, key in keys.items() if key not in known]
    if fresh:
        log.info("counting the samples of %d shards in %s", len(fresh), folder)
    known |= {keys[name]: count_samples(os.path.join(folder, name)) for name in fresh}
    counts = {name: known[key] for name, key in keys.items()}
    if fresh:
        memory.write(json.dumps({keys[name]: count for name, count in counts.items()}).encode(), "the sizes of shards")
    return counts


def _known(memory: Memory) -> dict[str, int]:
    try:
        found = json.loads(memory.read() or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
