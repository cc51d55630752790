"""Adversarial objectives and the gradient penalty."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.base import Loss
from networks.compute import together
from networks.multiscale import Verdict, scales
from options.errors import UserError

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


def discriminator_loss(
    mode: str, judge: nn.Module, *, real: Tensor, fake: Tensor, name: str, batched: bool, fake_first: bool = False
) -> Loss:
    """Return half of: calling the real images fake, calling the fake ones real; without a ``penalty``.

    Args:
        mode: as in ``gan_loss``.
        judge: the discriminator.
        real, fake: N x C x H x W; the fake ones are detached, or it would push gradients into the generator.
        name: of the discriminator, which begins the names of the parts and accuracies, ``<name>_real`` and
            ``<name>_fake``.
        batched: as in ``together``.
        fake_first: in which order they pass; batch norms and spectral norms remember it.
    """
    verdicts = together(judge, [fake, real] if fake_first else [real, fake], batched=batched)
    on_fake, on_real = verdicts if fake_first else reversed(verdicts)
    parts = {
        f"{name}_real": gan_loss(mode, on_real, real=True),
        f"{name}_fake": gan_loss(mode, on_fake, real=False),
    }
    total = 0.5 * (parts[f"{name}_real"] + parts[f"{name}_fake"])
    return Loss(total, parts, accuracies(mode, name, real=on_real, fake=on_fake))


def penalty(mode: str, judge: nn.Module, *, real: Tensor, fake: Tensor, name: str) -> dict[str, Tensor]:
    """Return the gradient penalty of a critic as ``<name>_penalty``; of other discriminators nothing."""
    return {f"{name}_penalty": gradient_penalty(judge, real, fake)} if mode == "wgangp" else {}


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
