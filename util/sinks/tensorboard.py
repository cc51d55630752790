"""TensorBoard event files, for those who ask for them; the package is optional."""

from pathlib import Path

from options.schema import Options
from util.images import ImageArray, as_rgb
from util.sinks.base import RunSoFar, Sink, missing, refuse_if_missing
from util.sinks.events import Images, Samples, Scalars, Scores, tagged


class TensorBoardSink(Sink):
    """Write losses, scores and images to event files; the step is the number of images seen."""

    def __init__(self, folder: Path, *, resume_at: int = 0) -> None:
        """Open an event file in the folder.

        Args:
            resume_at: images seen by the checkpoint that is resumed. TensorBoard no longer shows what earlier files
                in the folder tell about later images; 0 hides all of it.

        Raises:
            UserError: the package is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise missing("tensorboard") from None
        self._writer = SummaryWriter(str(folder), purge_step=resume_at + 1)  # type: ignore[no-untyped-call]

    @classmethod
    def refuse(cls, opt: Options) -> None:
        """Look for the package."""
        if opt.log.use_tensorboard:
            refuse_if_missing("tensorboard")

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink | None:
        """Open it in the run's folder, with ``--use_tensorboard``."""
        return cls(run.folder / "tensorboard", resume_at=run.images_seen) if run.opt.log.use_tensorboard else None

    def scalars(self, event: Scalars) -> None:
        """Write the report."""
        self._numbers(tagged(event), event.images_seen)

    def scores(self, event: Scores) -> None:
        """Write the scores."""
        self._numbers(tagged(event), event.images_seen)

    def images(self, event: Images) -> None:
        """Write the images under their labels."""
        for label, image in event.images.items():
            self._image(label, image, event.images_seen)

    def samples(self, event: Samples) -> None:
        """Write the sheet of held-out images."""
        self._image("samples", event.sheet, event.images_seen)

    def close(self) -> None:
        """Flush the event file."""
        self._writer.close()  # type: ignore[no-untyped-call]

    def _numbers(self, values: dict[str, float], images_seen: int) -> None:
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, images_seen)  # type: ignore[no-untyped-call]

    def _image(self, tag: str, image: ImageArray, images_seen: int) -> None:
        self._writer.add_image(tag, as_rgb(image), images_seen, dataformats="HWC")  # type: ignore[no-untyped-call]
