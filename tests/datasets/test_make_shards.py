"""Packing data sets into shards: byte for byte, seeded, and nothing is overwritten."""

import json
import re
import tarfile
from pathlib import Path

import pytest

from datasets.make_shards import main
from tests.datasets.conftest import Refusal, failing
from tests.images import an_image, side_by_side, write

COUNT = 7


def pack(root: Path, *more: str) -> int:
    return main(["--dataroot", str(root / "in"), "--out", str(root / "out"), *more])


def contents(folder: Path) -> dict[str, dict[str, bytes]]:
    """Members of each shard, in order."""
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            found[path.name] = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    return found


def flat(folder: Path) -> dict[str, bytes]:
    return {name: content for members in contents(folder).values() for name, content in members.items()}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Seven pairs in two folders, A as .png and B as .bmp, one of them deeper."""
    for index in range(COUNT):
        name = "deep/0.x" if index == 0 else str(index)
        write(an_image(index), tmp_path / "in" / "trainA" / f"{name}.png")
        write(an_image(100 + index), tmp_path / "in" / "trainB" / f"{name}.bmp")
    return tmp_path


def test_pairs_lie_side_by_side_byte_for_byte(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(pairs, "--samples_per_shard", "3") == 0
    assert "7 samples in 3 shards" in capsys.readouterr().out
    folder = pairs / "out" / "train"
    shards = contents(folder)
    assert [len(members) // 2 for members in shards.values()] == [3, 3, 1]
    assert json.loads((folder / "sizes.json").read_text()) == {name: len(found) // 2 for name, found in shards.items()}
    expected = {}
    for key, name in {"deep/0_x": "deep/0.x", **{str(i): str(i) for i in range(1, COUNT)}}.items():
        expected[f"{key}.a.png"] = (pairs / "in" / "trainA" / f"{name}.png").read_bytes()
        expected[f"{key}.b.bmp"] = (pairs / "in" / "trainB" / f"{name}.bmp").read_bytes()
    assert flat(folder) == expected
    for members in shards.values():
        keys = [name.split(".")[0] for name in members]
        assert keys[::2] == keys[1::2]


def test_the_order_depends_on_the_seed_alone(pairs: Path) -> None:
    orders = []
    for seed, out in (("0", "out"), ("0", "again"), ("1", "other")):
        assert pack(pairs, "--seed", seed, "--out", str(pairs / out)) == 0
        orders.append((pairs / out / "train" / "train-000000.tar").read_bytes())
    assert orders[0] == orders[1] != orders[2]
    assert list(flat(pairs / "out" / "train")) != sorted(flat(pairs / "out" / "train"))


def test_unpaired_sides_become_a_folder_each(pairs: Path) -> None:
    (pairs / "in" / "trainB" / "1.bmp").unlink()
    assert pack(pairs, "--unpaired") == 0
    assert sorted(flat(pairs / "out" / "trainA")) == [*(f"{i}.png" for i in range(1, COUNT)), "deep/0_x.png"]
    assert sorted(flat(pairs / "out" / "trainB")) == [*(f"{i}.bmp" for i in range(2, COUNT)), "deep/0_x.bmp"]


def test_images_with_both_sides_stay_whole_and_keys_apart(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "b.png"):
        write(side_by_side(an_image(1), an_image(2)), tmp_path / "in" / "val" / name)
    assert pack(tmp_path, "--phase", "val") == 0
    found = flat(tmp_path / "out" / "val")
    assert sorted(name.rpartition(".")[2] for name in found) == ["bmp", "png", "png"]
    assert len({name.partition(".")[0] for name in found}) == 3
    assert all(name.count(".") == 1 for name in found)


def test_stacked_inputs_are_numbered(tmp_path: Path) -> None:
    for side in ("A1", "A2", "B"):
        write(an_image(1), tmp_path / "in" / f"train{side}" / "x.png")
    assert pack(tmp_path) == 0
    assert list(flat(tmp_path / "out" / "train")) == ["x.a1.png", "x.a2.png", "x.b.png"]


def test_a_shard_has_at_most_the_bytes_asked_for(pairs: Path) -> None:
    assert pack(pairs, "--mb_per_shard", "0.02") == 0
    sizes = [sum(map(len, members.values())) for members in contents(pairs / "out" / "train").values()]
    assert len(sizes) > 1
    assert max(sizes) <= 20_000
    assert pack(pairs, "--mb_per_shard", "0.001", "--out", str(pairs / "small")) == 0
    assert len(contents(pairs / "small" / "train")) == COUNT


def test_a_folder_that_is_there_is_not_touched(pairs: Path, refusal: Refusal) -> None:
    assert pack(pairs) == 0
    before = contents(pairs / "out" / "train")
    assert "train exists already; remove it or choose another place" in refusal(pack(pairs, "--seed", "1"))
    assert contents(pairs / "out" / "train") == before


@pytest.mark.parametrize(("step", "words"), [("read_bytes", "cannot read"), ("write_text", "cannot write to")])
def test_a_packing_that_fails_leaves_nothing(pairs: Path, refusal: Refusal, step: str, words: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, step, failing(OSError(5, "Input/output error")))
        message = refusal(pack(pairs))
    assert words in message
    assert "(Input/output error)" in message
    assert list((pairs / "out").iterdir()) == []


def test_a_killed_packing_is_told(pairs: Path, refusal: Refusal) -> None:
    (pairs / "out" / ".train-unfinished").mkdir(parents=True)
    assert ".train-unfinished is left of a packing that was killed" in refusal(pack(pairs))
    assert [path.name for path in (pairs / "out").iterdir()] == [".train-unfinished"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--samples_per_shard", "0"], "--samples_per_shard must be at least 1"),
        (["--phase", "test"], "there is no folder .*test; give a --dataroot with test"),
    ],
)
def test_mistakes_end_in_one_sentence(pairs: Path, refusal: Refusal, more: list[str], words: str) -> None:
    assert re.search(words, refusal(pack(pairs, *more)))


def test_sets_without_pairs_are_told_how(tmp_path: Path, refusal: Refusal) -> None:
    write(an_image(1), tmp_path / "in" / "trainA" / "x.png")
    write(an_image(1), tmp_path / "in" / "trainB" / "y.png")
    assert "where A and B are no pairs, pass --unpaired" in refusal(pack(tmp_path))
