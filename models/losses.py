"""Adversarial objectives and the gradient penalty."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from networks.multiscale import Verdict, scales
from options.errors import UserError
from options.flag import at_least

log = logging.getLogger(__name__)

OF_DISCRIMINATORS = ("netD", "n_layers_D", "patch_size", "num_D", "ndf", "gan_mode", "pool_size", "no_conditional_D")
BOUNDARY: Mapping[str, float] = MappingProxyType({"lsgan": 0.5, "vanilla": 0.0})  # logits above it say "real"


def gan_loss(mode: str, verdict: Verdict, *, real: bool) -> Tensor:
    """Return how far the logits are from saying "real" (or "fake"), a scalar.

    Args:
        mode: ``lsgan``: squared distance to 1 or 0 (Mao et al. 2017). ``vanilla``: cross entropy
            (Goodfellow et al. 2014). ``wgangp``: minus or plus the mean (Arjovsky et al. 2017).
        verdict: a discriminator's output, any shape; of several scales, each counts alike.
        real: what costs nothing to say.
    """
    losses = [_gan_loss(mode, logits, real=real) for logits in scales(verdict)]
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean()


def _gan_loss(mode: str, logits: Tensor, *, real: bool) -> Tensor:
    if mode == "wgangp":
        return -logits.mean() if real else logits.mean()
    target = torch.full_like(logits, 1.0 if real else 0.0)
    if mode == "lsgan":
        return F.mse_loss(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target)


def accuracies(mode: str, name: str, *, real: Verdict, fake: Verdict) -> dict[str, Tensor]:
    """Return the shares of right verdicts of a discriminator on real and on fake images; a critic has none.

    Args:
        mode: as in ``gan_loss``; ``wgangp`` ranks images and knows no boundary.
        name: of the discriminator.
        real, fake: its logits, any shape; of several scales, each counts alike.

    Returns:
        ``<name>_real`` and ``<name>_fake``, scalars in [0, 1].
    """
    if mode not in BOUNDARY:
        return {}
    verdicts = {
        f"{name}_real": [logits > BOUNDARY[mode] for logits in scales(real)],
        f"{name}_fake": [logits <= BOUNDARY[mode] for logits in scales(fake)],
    }
    return {label: torch.stack([right.float().mean() for right in each]).mean() for label, each in verdicts.items()}


def check_lambdas(values: Mapping[str, Any], given: Mapping[str, Any], gan: str, *others: str) -> None:
    """Refuse weights of losses of which nothing could be learned; warn of what has no effect without a discriminator.

    Args:
        values, given: as in ``TranslationModel.check_options``; in a test there are no weights.
        gan, others: the flags that weigh the adversarial loss and the rest.
    """
    if gan not in values or "lr" not in values:
        return
    for name in (gan, *others):
        at_least(f"--{name}", values[name], 0)
    if not any(values[name] for name in (gan, *others)):
        raise UserError(f"with {', '.join(f'--{name} 0' for name in (gan, *others))} there is nothing to learn from")
    ignored = [f"--{name}" for name in OF_DISCRIMINATORS if name in given] if not values[gan] else []
    if ignored:
        log.warning("--%s 0 trains without a discriminator: %s without effect", gan, ", ".join(ignored))


def gradient_penalty(judge: Callable[[Tensor], Verdict], real: Tensor, fake: Tensor, weight: float = 10.0) -> Tensor:
    """Keep the norm of the critic's gradient near 1 between real and fake (Gulrajani et al. 2017, eq. 3).

    Args:
        judge: the critic; must not mix images of a batch, so no batch norm.
        real, fake: N x C x H x W of one shape, detached.

    Returns:
        ``weight`` times the mean over images, and scales, of (norm - 1) squared, differentiable twice.
    """
    if real.shape != fake.shape:
        raise UserError(
            f"--gan_mode wgangp mixes real and fake images, which here differ in size ({tuple(real.shape[2:])} and "
            f"{tuple(fake.shape[2:])}); use --preprocess resize_and_crop"
        )
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    mixed = (share * real + (1 - share) * fake).requires_grad_()
    penalties = []
    for logits in scales(judge(mixed)):
        (gradient,) = torch.autograd.grad(logits.sum(), mixed, create_graph=True)
        norm = torch.linalg.vector_norm(gradient.flatten(1) + 1e-16, dim=1)  # N
        penalties.append(weight * ((norm - 1) ** 2).mean())
    return penalties[0] if len(penalties) == 1 else torch.stack(penalties).mean()
