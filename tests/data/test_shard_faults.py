"""Shards from servers, damaged ones, and what is said about them."""

import json
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from data.shards import reading, source
from options.errors import UserError
from tests.images import write_unaligned
from tests.loading import epoch, names
from tests.serving import Mirror, serving
from tests.shards import loader, png, write_shards, write_tar

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="webdataset fetches with curl")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Serves ``0000.tar`` to ``0003.tar`` with 20 pairs, larger than what a pipe holds."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(reading, "PAUSES_S", (0.0, 0.0, 0.0))
    pytest.importorskip("webdataset")
    folder = write_shards(tmp_path / "train", (5, 5, 6, 4))
    with serving() as found:
        found.files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}
        yield found


def url(server: Mirror) -> str:
    return f"{server.url}/{{0000..0003}}.tar"


def all_names(root: object, words: str = "") -> list[str]:
    return names(epoch(loader(root, words)))


ALL = [f"s{index}" for index in range(20)]


@needs_curl
def test_shards_of_a_server_are_those_of_a_folder(server: Mirror, tmp_path: Path) -> None:
    assert all_names(url(server)) == all_names(tmp_path)
    assert all_names(url(server), "--num_threads 2 --batch_size 2") == all_names(tmp_path, "--batch_size 2")


@needs_curl
def test_a_resumed_epoch_fetches_only_what_is_still_to_come(server: Mirror) -> None:
    source = loader(url(server), "--serial_batches")
    server.asked.clear()
    assert names(epoch(source, 1, 10)) == ALL[10:]
    assert server.asked == ["/0002.tar", "/0003.tar"]


@needs_curl
def test_an_answer_that_breaks_off_is_asked_for_again(server: Mirror) -> None:
    source = loader(url(server))
    server.cuts, before = [5000] * 3, len(server.asked)
    assert sorted(names(epoch(source))) == sorted(ALL)
    assert not server.cuts
    assert len(server.asked) > before + 4


@needs_curl
@pytest.mark.parametrize("skip", ["", "--on_bad_image skip", "--batch_size 5"])
def test_a_shard_that_is_gone_is_named_after_a_few_attempts(server: Mirror, skip: str) -> None:
    source = loader(url(server), f"--serial_batches {skip}")
    del server.files["/0001.tar"]
    with pytest.raises(UserError, match=r"0001\.tar \(the server does not have it or refuses it\)"):
        epoch(source)
    assert server.asked.count("/0001.tar") == 1 + len(reading.PAUSES_S)


@needs_curl
def test_far_shards_need_a_table_of_their_sizes(server: Mirror) -> None:
    table = json.loads(server.files["/sizes.json"])
    del table["0002.tar"]
    server.files["/sizes.json"] = json.dumps(table).encode()
    with pytest.raises(UserError, match=r'sizes\.json does not say how many .* 0002\.tar holds; .*"0002\.tar": 1000'):
        loader(url(server))
    del server.files["/sizes.json"]
    with pytest.raises(UserError, match=r"cannot read .*/sizes\.json \(the server .*shards of another machine need it"):
        loader(url(server))


def test_urls_of_both_sides_and_of_other_phases(tmp_path: Path) -> None:
    pytest.importorskip("webdataset")
    for phase, first in (("train", 0), ("val", 70)):
        write_shards(tmp_path / f"{phase}A", (3,), pairs=False, first=first)
        write_shards(tmp_path / f"{phase}B", (2, 2), pairs=False, first=first + 10)
    root, shards_B = f"{tmp_path}/{{phase}}A/0000.tar", f"{tmp_path}/{{phase}}B/{{0000..0001}}.tar"
    (batch, *_) = loader(root, f"--shards_B {shards_B} --serial_batches").epoch(1)
    assert (names([batch]), names([batch], "B")) == (["s0"], ["s10"])
    assert all_names(root, f"--shards_B {shards_B} --serial_batches --phase val")[:2] == ["s70", "s71"]


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_a_shard_that_was_cut_short_is_named(tmp_path: Path, kept: float, sized: bool) -> None:
    folder = write_shards(tmp_path / "train", (3, 3, 3))
    source = loader(tmp_path, "--serial_batches")
    if not sized:
        (folder / "sizes.json").unlink()
    with tarfile.open(folder / "0001.tar") as tar:
        end = tar.getmembers()[-1].offset_data
    content = (folder / "0001.tar").read_bytes()
    (folder / "0001.tar").write_bytes(content[: int(end * kept)])
    with pytest.raises(UserError, match=r"cannot read the shard .*0001\.tar \(.*\); repair or replace it"):
        epoch(source if sized else loader(tmp_path))


@pytest.mark.parametrize(("said", "held"), [(4, 3), (2, 3)])
@pytest.mark.parametrize("skip", ["", "--on_bad_image skip"])
def test_wrong_sizes_are_named(tmp_path: Path, said: int, held: int, skip: str) -> None:
    folder = write_shards(tmp_path / "train", (3, held, 3))
    (folder / "sizes.json").write_text(json.dumps({"0000.tar": 3, "0001.tar": said, "0002.tar": 3}))
    with pytest.raises(UserError, match=rf"0001\.tar \(it has {held} samples, not {said}: .*sizes\.json"):
        epoch(loader(tmp_path, skip), 1)


@pytest.mark.parametrize("text", ["[1]", "{", '{"0000.tar": "3"}', '{"0000.tar": -1}'])
def test_a_table_of_sizes_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (write_shards(tmp_path / "train", (3,)) / "sizes.json").write_text(text)
    with pytest.raises(UserError, match=r"sizes\.json is no table of shards and their numbers of samples, such as \{"):
        loader(tmp_path)


def test_a_table_that_names_more_shards_than_there_are_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (write_shards(tmp_path / "train", (3, 2)) / "0000.tar").unlink()
    assert loader(tmp_path).epoch_size == 2
    assert "sizes.json names 1 shards that are not there, 0000.tar for one" in caplog.text
    (tmp_path / "train" / "0001.tar").write_bytes(b"no tar")
    with pytest.raises(UserError, match=r"cannot read the shard .*0001\.tar \("):
        loader(tmp_path)


def test_shards_without_a_table_are_counted_once_and_when_they_change(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "train", (3, 2))
    (folder / "sizes.json").unlink()
    assert sorted(all_names(tmp_path)) == ALL[:5]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.shards.shard_list.count_samples", lambda path: pytest.fail(f"counted {path} again"))
        assert loader(tmp_path).epoch_size == 5
    write_tar(folder / "0001.tar", {f"n{index}.{side}.png": png(index) for index in range(6) for side in "ab"})
    assert loader(tmp_path).epoch_size == 9


@pytest.fixture
def with_bad(tmp_path: Path) -> Path:
    """Six pairs in a shard; the third, the fourth and the last are damaged."""
    members = {f"s{index}.{side}.png": png(index) for index in range(6) for side in "ab"}
    write_tar(tmp_path / "train" / "0000.tar", members | {f"s{bad}.b.png": b"no image" for bad in (2, 3, 5)})
    return tmp_path


def test_a_bad_image_is_named(with_bad: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the image 0000\.tar/s2\.b\.png"):
        all_names(with_bad, "--serial_batches")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_image_is_replaced_by_the_next_of_its_lane(with_bad: Path, workers: int) -> None:
    source = loader(with_bad, f"--serial_batches --on_bad_image skip --num_threads {workers}")
    assert names(epoch(source)) == ["s0", "s1", "s4", "s4", "s4", "s0"]
    assert names(epoch(source, 1, 3)) == ["s4", "s4", "s0"]


def test_replacing_a_bad_image_does_not_read_the_shard_again(with_bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = loader(with_bad, "--serial_batches --on_bad_image skip").epoch(1)
    opened: list[str] = []

    def recording(url: str) -> AbstractContextManager[IO[bytes]]:
        opened.append(url)
        return source.opened(url)

    monkeypatch.setattr(reading, "opened", recording)
    assert names([next(batches) for _ in range(5)])[2:] == ["s4", "s4", "s4"]
    assert len(opened) == 1


def test_a_sample_without_its_partner_is_named(tmp_path: Path) -> None:
    write_tar(tmp_path / "train" / "0.tar", {"x.a.png": png(1), "x.b.png": png(2), "y.a.png": png(3)})
    with pytest.raises(
        UserError, match=r"no b\.png or the like, only 0\.tar/y\.a\.png; a pair is x\.a\.png and x\.b\.png"
    ):
        epoch(loader(tmp_path), 1)


def test_what_is_no_image_is_passed_over(tmp_path: Path) -> None:
    members = {"readme": b"", "x.json": b"{}", "x.a.png": png(1), "x.txt": b"x", "x.b.png": png(2), ".hidden.png": b"x"}
    write_tar(tmp_path / "train" / "0.tar", members)
    assert all_names(tmp_path) == ["x"]


def test_layouts_that_hold_no_shards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder .*train; --dataset_mode webdataset expects shards of pairs in"):
        loader(tmp_path)
    with pytest.raises(UserError, match=r"no shards \(\.tar\) in .*trainA; --dataset_mode webdataset expects"):
        loader(write_unaligned(tmp_path / "folders"))
    write_tar(tmp_path / "train" / "0.tar", {"x.txt": b""})
    with pytest.raises(UserError, match=r"hold no images; make them with python -m datasets\.make_shards"):
        loader(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--cache ram", "--cache ram has no effect with --dataset_mode webdataset; leave it out"),
        ("--dataroot https://example.org/data", "data names no .tar file; give the shards of a set as in https://"),
        ("--shards_B x.tar", "--shards_B needs the shards of A as --dataroot"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(tmp_path: Path, words: str, message: str) -> None:
    write_shards(tmp_path / "train", (3,))
    with pytest.raises(UserError, match=message):
        loader(tmp_path, words)


def test_without_the_library_urls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    monkeypatch.setitem(sys.modules, "webdataset.gopen", None)
    monkeypatch.setitem(sys.modules, "webdataset.shardlists", None)
    for name in ("{0..1}", "0"):
        with pytest.raises(UserError, match=r"^shards .* need the webdataset library; pip install webdataset$"):
            loader(f"https://example.org/{name}.tar")
