"""What the machine is that a benchmark runs on."""

import datetime
import os
import platform
from pathlib import Path
from typing import Any

import torch

from util.machine import usable_cores

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
FAST = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_fp16", "asimdhp", "sve", "bf16")
GIB = 2**30


def describe() -> dict[str, Any]:
    """Return what a figure depends on; ``load`` is how many programs were running."""
    facts: dict[str, Any] = {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "cpu": _first(CPUINFO, "model name") or platform.processor() or platform.machine(),
        "cores": usable_cores(),
        "instructions": [torch.backends.cpu.get_cpu_capability(), *fast_instructions()],
        "memory_gib": _memory(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pytorch": torch.__version__,
    }
    return facts | (_gpu() if torch.cuda.is_available() else {})


def fast_instructions() -> list[str]:
    """Return those instruction sets of the CPU that matter to networks, by Linux's names; none on other systems."""
    words = set((_first(CPUINFO, "flags") or _first(CPUINFO, "Features") or "").split())
    return [name for name in FAST if name in words]


def _gpu() -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(0)
    return {
        "gpu": properties.name,
        "gpus": torch.cuda.device_count(),
        "gpu_memory_gib": round(properties.total_memory / GIB, 1),
        "compute_capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda or torch.version.hip,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }


def _memory() -> float | None:
    kibibytes = (_first(MEMINFO, "MemTotal") or "").split()
    return round(int(kibibytes[0]) * 1024 / GIB, 1) if kibibytes else None


def _first(path: Path, name: str) -> str | None:
    """Return what follows a name and a colon in the first such line of a file."""
    try:
        pairs = (line.partition(":") for line in path.read_text().splitlines())
    except OSError:
        return None
    return next((value.strip() for key, _, value in pairs if key.strip() == name), None)
