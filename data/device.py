"""Copy batches to the device beside the work that it does on the one before."""

import torch

from data.batch import Batch


class DeviceCopier:
    """Copies on a stream of its own: as the host runs ahead of a GPU, the copy overlaps with the step under way."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch on the device, in [-1, 1]; from pinned memory without waiting."""
        if self._stream is None:
            return batch.to(self._device)
        with torch.cuda.stream(self._stream):
            copied = batch.to(self._device)
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        for tensor in (copied.A, copied.B):
            if tensor is not None:
                tensor.record_stream(current)  # its memory is not given away while the step still reads it
        return copied
