"""Many paths in little memory read like a list of them."""

import os
import pickle

import pytest

from data.files.path_list import PathList
from options.errors import UserError

NAMES = ["a.png", "b/ü.png", "c d/e.png", "", "../up.png", "z"]


def test_a_list_of_paths_reads_like_a_list() -> None:
    paths, expected = PathList.of("root", NAMES), [os.path.join("root", name) for name in NAMES]
    assert list(paths) == [paths[index] for index in range(len(paths))] == expected
    assert (paths.root, paths[-1], paths[-6], paths.relative(1)) == ("root", "root/z", "root/a.png", "b/ü.png")
    assert expected[2] in paths
    assert "root/x" not in paths
    for chosen in (slice(2), slice(1, 4), slice(4, 2), slice(-2, None), slice(None, None, -1), slice(0, 9, 2)):
        assert list(paths[chosen]) == expected[chosen]
        assert list(paths[chosen][1:]) == expected[chosen][1:]
    for index in (6, -7):
        with pytest.raises(IndexError):
            paths[index]


def test_an_empty_list_and_a_bad_path() -> None:
    assert list(PathList.of("root", [])) == []
    assert not PathList.of("root", [])
    with pytest.raises(UserError, match="character of code 0"):
        PathList.of("root", ["a", "b\0c"])


def test_a_part_is_sent_without_the_rest() -> None:
    paths = PathList.of("/data", [f"folder/{index:06d}.png" for index in range(10_000)])
    part = pickle.dumps(paths[5000:5010])
    assert len(part) < 1000
    assert list(pickle.loads(part)) == [f"/data/folder/{index:06d}.png" for index in range(5000, 5010)]
    assert len(pickle.dumps(paths)) < 10_000 * (len("folder/000000.png") + 6)
