"""Weights & Biases, for those who ask for it; the package is optional.

A server that does not answer costs seconds at the start and minutes at the end, and never the training. What it did
not get lies on the disk, and ``wandb sync`` uploads it.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from util.files import whole_file
from util.images import ImageArray
from util.run_folder import WANDB_RUN_FILE
from util.sinks.base import RunSoFar, Sink, missing, refuse_if_missing
from util.sinks.events import Images, Samples, Scalars, Scores, tagged

log = logging.getLogger(__name__)

# Seconds, for W&B; its own are 90 and no limit. By environment: older versions refuse settings that they do not know.
PATIENCE = {"WANDB_INIT_TIMEOUT": "20", "WANDB_FINISH_TIMEOUT": "120"}


class WandbSink(Sink):
    """Log losses, scores and images to a run of a project; the step is the number of images seen.

    Calls of one step must follow each other, because W&B joins them to one record; it refuses earlier steps.
    """

    def __init__(
        self,
        *,
        project: str,
        name: str,
        options: Mapping[str, object],
        id_file: Path | None = None,
        resume_at: int = 0,
    ) -> None:
        """Start a run, or go on with that of a resumed training.

        Args:
            options: become its configuration.
            id_file: remembers the run for the next start; without it every start is a new run.
            resume_at: images seen by the checkpoint that is resumed; 0 starts a new run.

        Raises:
            UserError: the package is not installed or does not start.
        """
        try:
            import wandb
        except ImportError:
            raise missing("wandb") from None
        self._wandb = wandb
        known = _read_id(id_file, project, name) if id_file and resume_at else None
        again = {"id": known, "resume": "allow"} if known else {}
        self._run = _start(wandb, {"project": project, "name": name, "config": dict(options), **again})
        self._first_step: int = self._run.starting_step
        if self._first_step > resume_at + 1:
            log.info("Weights & Biases keeps what it has of this run, up to image %d", self._first_step - 1)
        if id_file:
            _write_id(id_file, project, name, self._run.id)

    @classmethod
    def refuse(cls, opt: Options) -> None:
        """Look for the package."""
        if opt.run.use_wandb:
            refuse_if_missing("wandb")

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink | None:
        """Start a run, or go on with it, with ``--use_wandb``."""
        opt = run.opt
        if not opt.run.use_wandb:
            return None
        return cls(
            project=opt.run.wandb_project_name,
            name=opt.run.name,
            options=flatten(opt),
            id_file=run.folder / WANDB_RUN_FILE,
            resume_at=run.images_seen,
        )

    def scalars(self, event: Scalars) -> None:
        """Log the report."""
        self._log(tagged(event), event.images_seen)

    def scores(self, event: Scores) -> None:
        """Log the scores."""
        self._log(tagged(event), event.images_seen)

    def images(self, event: Images) -> None:
        """Log the images under their labels."""
        self._log({label: self._image(image) for label, image in event.images.items()}, event.images_seen)

    def samples(self, event: Samples) -> None:
        """Log the sheet of held-out images."""
        self._log({"samples": self._image(event.sheet, file_type="jpg")}, event.images_seen)

    def close(self) -> None:
        """Upload what is left."""
        self._run.finish()

    def _log(self, values: Mapping[str, object], images_seen: int) -> None:
        if images_seen >= self._first_step:
            self._run.log(values, step=images_seen)

    def _image(self, image: ImageArray, file_type: Literal["png", "jpg"] = "png") -> object:
        # Not the array itself: older versions stretch the range of a dark one.
        return self._wandb.Image(Image.fromarray(image), file_type=file_type)


def _start(wandb: Any, settings: Mapping[str, object]) -> Any:  # Any: the package may be missing
    """Start a run; where the server does not answer or does not want it, one on the disk."""
    for name, seconds in PATIENCE.items():
        os.environ.setdefault(name, seconds)
    try:
        try:
            return wandb.init(**settings)
        except wandb.errors.AuthenticationError:
            raise
        except wandb.errors.CommError as error:
            run = wandb.init(**settings, mode="offline")
            log.warning(
                "Weights & Biases does not take the run (%s); it is recorded here, upload it later: wandb sync %s",
                _one_line(error),
                Path(run.dir).parent,
            )
            return run
    except (wandb.errors.Error, ValueError, OSError) as error:
        raise UserError(
            f"Weights & Biases did not start ({_one_line(error)}); type: wandb login, or set WANDB_MODE=offline"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _read_id(path: Path, project: str, name: str) -> str | None:
    """Return the run that a training of this name has logged to; that of a copied folder is another's."""
    *owner, run_id = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else ("",)
    return run_id if owner == [project, name] else None


def _write_id(path: Path, project: str, name: str, run_id: str) -> None:
    with whole_file(path) as file:
        file.write("\n".join((project, name, run_id)).encode())
