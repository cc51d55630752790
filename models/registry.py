"""The table of models, and building one by name."""

import logging
from typing import Any

import torch

from models.base import TranslationModel
from networks.receptive_field import receptive_fields
from options.schema import Options
from util.registry import Registry

log = logging.getLogger(__name__)

MODELS: Registry[type[TranslationModel[Any]]] = Registry("model")  # Any: each model has its own output type


def create_model(opt: Options) -> TranslationModel[Any]:
    """Build the model that ``--model`` names, its initial weights a function of ``--seed``."""
    torch.manual_seed(opt.run.seed)
    model = MODELS[opt.run.model](opt)
    log.info("model [%s] was created", type(model).__name__)
    for name, net in model.networks.items():
        millions = sum(parameter.numel() for parameter in net.parameters()) / 1e6
        log.info("[Network %s] Total number of parameters : %.3f M", name, millions)
        if name.startswith("D"):
            sides = ", ".join(f"{side} x {side}" for side in receptive_fields(net))
            log.info("[Network %s] judges patches of %s pixels", name, sides)
        if opt.run.verbose:
            log.info("%s", net)
    return model
