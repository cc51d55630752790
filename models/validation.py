"""One figure of held-out images, for the learning rate policy ``plateau``."""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from data.loader import Loader
from data.registry import create_dataset
from models.base import TranslationModel
from options.errors import UserError
from options.schema import DataOptions, Options
from util.distributed import World

ALWAYS_THE_SAME_CROPS = 0  # an epoch number for the sampler


def held_out_data(opt: DataOptions) -> DataOptions:
    """Return the settings under which images are read the same way every time, in this process."""
    return dataclasses.replace(
        opt, no_flip=True, serial_batches=True, num_threads=0, augment="", augment_input="", cache="off"
    )


class Validation:
    """The held-out images in ``<dataroot>/<val_phase>``, cut the same way every time.

    Raises:
        UserError: there are none.
    """

    def __init__(self, opt: Options, world: World) -> None:
        fixed = held_out_data(opt.data)
        try:
            dataset = create_dataset(dataclasses.replace(opt, data=fixed), opt.optim.val_phase)
        except UserError as error:
            raise UserError(
                f"--lr_policy plateau measures on held-out images: {error}; or name their folder with --val_phase"
            ) from error
        self.world = world
        self.loader = Loader(dataset, fixed, World(0, 1, world.device))  # every process measures all

    @torch.no_grad()
    def measure(self, model: TranslationModel[Any], between: Callable[[], None] = lambda: None) -> float:
        """Return the model's validation figure, averaged over all held-out images, in eval mode.

        Args:
            between: called after each batch; may raise to stop.
        """
        was_training = model.training
        model.eval()
        total, count = 0.0, 0
        try:
            for batch in self.loader.epoch(ALWAYS_THE_SAME_CROPS):
                model.check_batch(batch)
                with model.compute.kernels(), model.compute.forward():
                    out = model(batch)
                total += float(model.validation(out)) * batch.size  # sync
                count += batch.size
                between()
        finally:
            model.train(was_training)
        figure = torch.tensor(total / count, device=self.world.device)
        return float(self.world.mean(figure))  # batch norms differ between processes; the learning rate must not
