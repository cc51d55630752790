"""Weights & Biases, for those who ask for it; the package is optional."""

from collections.abc import Mapping

from options.errors import UserError
from util.sinks import Pictures, Scalars, Sink


class WandbSink(Sink):
    """Log losses and pictures to a run of a project; the step is the number of images seen."""

    def __init__(self, *, project: str, name: str, options: Mapping[str, object]) -> None:
        """Start the run; ``options`` become its configuration."""
        try:
            import wandb
        except ImportError:
            raise UserError("--use_wandb needs the wandb package; type: pip install wandb") from None
        self._wandb = wandb
        try:
            self._run = wandb.init(project=project, name=name, config=dict(options))
        except wandb.errors.Error as error:
            raise UserError(
                f"Weights & Biases did not start ({error}); type: wandb login, or set WANDB_MODE=offline"
            ) from error

    def scalars(self, event: Scalars) -> None:
        """Log losses, learning rate and speed."""
        values = {f"loss/{name}": value for name, value in event.losses.items()}
        extra = {"epoch": event.position, "learning_rate": event.learning_rate, "seconds": event.seconds}
        self._run.log(values | extra, step=event.images_seen)

    def images(self, event: Pictures) -> None:
        """Log the pictures under their labels."""
        pictures = {label: self._wandb.Image(picture) for label, picture in event.pictures.items()}
        self._run.log(pictures, step=event.images_seen)

    def close(self) -> None:
        """Upload what is left."""
        self._run.finish()
