"""How much memory a program may take: the machine's, or the rest of its container's."""

import os
from pathlib import Path

import pytest

from util.machine import free_memory, usable_cores

MIB = 2**20


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with 8 GiB free."""
    folder = tmp_path / "proc"
    write(folder, meminfo=f"MemTotal: {16 * MIB} kB\nMemFree: 100 kB\nMemAvailable: {8 * MIB} kB")
    write(folder / "self", cgroup="1:name=systemd:/\n0::/")
    return folder


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    write(tmp_path / "cgroup")
    return tmp_path / "cgroup"


def test_without_limits_it_is_what_the_machine_has(proc: Path, groups: Path) -> None:
    assert free_memory(proc, groups) == 8 * 1024 * MIB


def test_a_system_that_does_not_say_is_unknown(tmp_path: Path) -> None:
    assert free_memory(tmp_path / "none", tmp_path / "none") is None


def test_a_container_that_sees_itself_as_the_root(proc: Path, groups: Path) -> None:
    write(groups, memory__max=str(900 * MIB), memory__current=str(500 * MIB), memory__stat="anon 7\nfile 8")
    assert free_memory(proc, groups) == 400 * MIB


def test_pages_of_files_that_nobody_reads_count_as_free(proc: Path, groups: Path) -> None:
    stat = f"active_file {50 * MIB}\ninactive_file {30 * MIB}"
    write(groups, memory__max=str(900 * MIB), memory__current=str(500 * MIB), memory__stat=stat)
    assert free_memory(proc, groups) == 430 * MIB


@pytest.mark.parametrize("tightest", ["job", "job/step", "job/step/task"])
def test_the_tightest_limit_up_the_tree_counts(proc: Path, groups: Path, tightest: str) -> None:
    write(proc / "self", cgroup="0::/job/step/task")
    for name in ("job", "job/step", "job/step/task"):
        limit = str(900 * MIB) if name == tightest else "max"
        write(groups / name, memory__max=limit, memory__current=str(100 * MIB), memory__stat="")
    assert free_memory(proc, groups) == 800 * MIB


def test_the_machine_may_have_less_than_the_limit(proc: Path, groups: Path) -> None:
    write(groups, memory__max=str(900 * 1024 * MIB), memory__current="0", memory__stat="")
    assert free_memory(proc, groups) == 8 * 1024 * MIB


def test_more_taken_than_allowed_is_nothing_free(proc: Path, groups: Path) -> None:
    write(groups, memory__max="100", memory__current="200", memory__stat="")
    assert free_memory(proc, groups) == 0


@pytest.mark.parametrize("seen", ["memory/jobs/7", "memory"])  # a container sees its own group as the root
def test_the_first_version_of_control_groups(proc: Path, groups: Path, seen: str) -> None:
    write(proc / "self", cgroup="5:cpu,cpuacct:/jobs/9\n4:hugetlb,memory:/jobs/7\n0::/")
    write(
        groups / seen,
        memory__limit_in_bytes=str(900 * MIB),
        memory__usage_in_bytes=str(500 * MIB),
        memory__stat=f"inactive_file 1\ntotal_inactive_file {20 * MIB}",
    )
    if seen != "memory":
        write(groups / "memory", memory__limit_in_bytes=str(2**63 - 4096), memory__usage_in_bytes="0")
    assert free_memory(proc, groups) == 420 * MIB


def test_this_machine_has_cores_and_memory() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    free = free_memory()
    if Path("/proc/meminfo").exists():
        assert free is not None
        assert free > 0
