"""Shards that come from a command, which may fail, end too early or never end."""

import sys
from pathlib import Path

import pytest

from data.shards import reading, source
from options.errors import UserError
from tests.loading import epoch, names
from tests.shards import loader, write_shards


@pytest.mark.skipif(sys.platform == "win32", reason="cat")
def test_shards_may_come_from_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("webdataset")
    monkeypatch.setattr(reading, "PAUSES_S", (0.0,))
    folder = write_shards(tmp_path / "train", (5, 4))
    batches = loader(f"pipe:cat {folder}/{{0000..0001}}.tar", "--serial_batches")
    assert names(epoch(batches)) == [f"s{index}" for index in range(9)]
    (folder / "0001.tar").unlink()
    with pytest.raises(UserError, match=r"pipe:cat .*/0001\.tar \(its command ended with code 1\)"):
        epoch(batches)
    with pytest.raises(UserError, match=r"sizes\.json; exec >&-; exit 3 \(its command ended with code 3\)"):
        loader(f"pipe:cat {folder}/0000.tar; exec >&-; exit 3")


@pytest.mark.skipif(sys.platform == "win32", reason="head")
@pytest.mark.parametrize("then", ["exit 0", "exec >&-; exec sleep 9"])
def test_a_command_that_ends_well_too_early_or_never_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    pytest.importorskip("webdataset")
    monkeypatch.setattr(reading, "PAUSES_S", ())
    monkeypatch.setattr(source, "PATIENCE_S", 0.05)
    monkeypatch.setattr("data.shards.shard_list._table", lambda place: {"0000.tar": 5})
    folder = write_shards(tmp_path / "train", (5,))
    with pytest.raises(UserError, match=r"cannot read the shard pipe:head .*it was cut short"):
        loader(f"pipe:head -c 1024 {folder}/0000.tar; {then}")
