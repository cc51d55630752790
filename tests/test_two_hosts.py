"""Two hosts, here two network namespaces joined by a virtual cable, train together, also when the cable is cut."""

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import an_image, write
from tests.launching import torchrun
from tests.same_runs import assert_same_run

HOSTS = {"one": "10.77.0.1", "two": "10.77.0.2"}
FLAGS = (
    "--model pix2pix --netG resnet_1blocks --no_html --gpu_ids -1 --n_epochs 8 --n_epochs_decay 0 --batch_size 2 "
    "--save_latest_freq 4 --print_freq 2 --timeout 8 --resume auto --norm syncbatch"
)


def ip(*words: str) -> int:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def hosts() -> Iterator[dict[str, str]]:
    """Network namespaces by host."""
    spaces = {host: f"i2i-{host}-{os.getpid()}" for host in HOSTS}
    allowed = sys.platform == "linux" and shutil.which("ip") and os.geteuid() == 0
    if not allowed or any(ip("netns", "add", space) for space in spaces.values()):
        pytest.skip("needs root and the program ip")
    try:
        ends = ["type", "veth", "peer", "name", "cable", "netns", spaces["two"]]
        assert ip("-n", spaces["one"], "link", "add", "cable", *ends) == 0
        for host, space in spaces.items():
            assert ip("-n", space, "addr", "add", f"{HOSTS[host]}/24", "dev", "cable") == 0
            assert ip("-n", space, "link", "set", "lo", "up") == ip("-n", space, "link", "set", "cable", "up") == 0
        yield spaces
    finally:
        for space in spaces.values():
            ip("netns", "del", space)


@pytest.fixture
def words(tmp_path: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The flags of a run over 7 pairs, all but its name."""
    for number in range(7):
        for side in "AB":
            write(an_image(number + 20 * ord(side)), tmp_path / "images" / f"train{side}" / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")
    return ["--dataroot", tmp_path / "images", *tiny, *FLAGS.split(), "--name"]


RUNS = itertools.count()


def start(hosts: dict[str, str], words: list[object], name: str) -> "list[subprocess.Popen[str]]":
    """Start a node of a run on each host."""
    number, port = next(RUNS), 29500 + next(RUNS)
    return [
        torchrun(
            *words,
            name,
            processes=1,
            before=["ip", "netns", "exec", space, "env", "GLOO_SOCKET_IFNAME=cable"],
            launcher=[
                "--nnodes=2", "--max-restarts=3", f"--rdzv-id={name}{number}", "--rdzv-backend=c10d",
                f"--rdzv-endpoint={HOSTS['one']}:{port}", f"--local-addr={HOSTS[host]}",
                f"--rdzv-conf=is_host={int(host == 'one')}",
            ],
        )  # fmt: skip
        for host, space in hosts.items()
    ]  # fmt: skip


def ended(nodes: "list[subprocess.Popen[str]]") -> list[str]:
    """Wait for both, and return what they said from now on."""
    said = [node.communicate(timeout=200)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(said)
    return said


@pytest.mark.slow
def test_two_hosts_train_as_two_processes_of_one_and_go_on_after_a_cut(
    hosts: dict[str, str], words: list[object]
) -> None:
    alone = torchrun(*words, "one_host")
    said = alone.communicate(timeout=100)[0]
    assert alone.returncode == 0, said
    ended(start(hosts, words, "whole"))
    assert_same_run("whole", "one_host")

    nodes = start(hosts, words, "cut")
    main = nodes[0].stdout
    assert main
    for line in main:
        if line.startswith("(epoch: 3"):
            break
    assert ip("-n", hosts["one"], "link", "set", "cable", "down") == 0
    time.sleep(14)  # longer than --timeout
    assert ip("-n", hosts["one"], "link", "set", "cable", "up") == 0
    said = "\n".join(ended(nodes))
    assert "another process has ended, or was silent for --timeout seconds" in said
    assert "continuing from" in said
    assert_same_run("cut", "one_host")
