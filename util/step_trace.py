"""Write down what one training step spends its time on, as a trace that opens in a browser."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

log = logging.getLogger(__name__)

WARM = 10  # the step that is looked at: caches are filled and kernels chosen
SHOWN = 5  # operations that are named


class StepTrace:
    """Looks at one step of a training, or at none.

    Args:
        folder: where ``step_trace.json`` is written, in Chrome's trace format; None looks at nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder and folder / "step_trace.json"
        self._steps = 0

    @contextmanager
    def of(self, device: torch.device) -> Iterator[None]:
        """Surround a step; waits for the device in the one that is looked at."""
        self._steps += 1
        if self._path is None or self._steps != WARM:
            yield
            return
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it complains where there is no GPU
        on_gpu = device.type == "cuda"
        kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
        with profile(activities=kinds, record_shapes=True) as seen:
            yield
            if on_gpu:
                torch.cuda.synchronize(device)  # sync
        self._path.unlink(missing_ok=True)  # of an earlier training
        seen.export_chrome_trace(str(self._path))  # says nothing if it cannot
        if not self._path.exists():
            log.warning("cannot write the trace of a step to %s", self._path)
            return
        spent = {
            event.key: event.self_device_time_total if on_gpu else event.self_cpu_time_total
            for event in seen.key_averages()
        }
        total = sum(spent.values()) or 1.0
        longest = sorted(spent, key=lambda key: spent[key], reverse=True)[:SHOWN]
        parts = ", ".join(f"{key} {spent[key] / total:.0%}" for key in longest)
        log.info("a step's time: %s; the whole of it, for https://ui.perfetto.dev: %s", parts, self._path)
