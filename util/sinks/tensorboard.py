"""TensorBoard event files, for those who ask for them; the package is optional."""

from pathlib import Path

from options.errors import UserError
from util.images import as_rgb
from util.sinks import Pictures, Scalars, Sink


class TensorBoardSink(Sink):
    """Write losses and pictures to event files; the step is the number of images seen."""

    def __init__(self, folder: Path) -> None:
        """Open an event file in the folder."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError("--use_tensorboard needs the tensorboard package; type: pip install tensorboard") from None
        self._writer = SummaryWriter(str(folder))  # type: ignore[no-untyped-call]

    def scalars(self, event: Scalars) -> None:
        """Write losses, learning rate and epoch."""
        values = {f"loss/{name}": value for name, value in event.losses.items()}
        extra = {"epoch": event.position, "learning_rate": event.learning_rate, "seconds": event.seconds}
        for tag, value in (values | extra).items():
            self._writer.add_scalar(tag, value, event.images_seen)  # type: ignore[no-untyped-call]

    def images(self, event: Pictures) -> None:
        """Write the pictures under their labels."""
        for label, picture in event.pictures.items():
            self._writer.add_image(label, as_rgb(picture), event.images_seen, dataformats="HWC")  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Flush the event file."""
        self._writer.close()  # type: ignore[no-untyped-call]
