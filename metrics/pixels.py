"""Distances between an image and what it should be, pixel by pixel: L1, PSNR, SSIM, MS-SSIM, and of a whole cycle."""

from types import MappingProxyType
from typing import ClassVar

from torch import Tensor

from metrics.base import METRICS, Need, PairMetric

WINDOW = 11  # pixels that structural similarity looks at


@METRICS.register("l1")
class MeanAbsoluteError(PairMetric):
    """Mean absolute difference of the values in [0, 1]; half of what a loss on [-1, 1] shows."""

    needs: ClassVar[Need] = "pairs"
    scores = MappingProxyType({"l1": "lower"})

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a mean over channels and pixels for each image."""
        return (fake - real).abs().flatten(1).mean(1)


@METRICS.register("cycle")
class CycleError(MeanAbsoluteError):
    """What a cycle loses (Zhu et al. 2017, equation 2): mean absolute difference of an image that came back."""

    needs: ClassVar[Need] = "cycles"
    scores = MappingProxyType({"cycle": "lower"})


@METRICS.register("psnr")
class PeakSignalToNoise(PairMetric):
    """Peak signal-to-noise ratio in dB, the mean over the images; infinite if one of them has no error at all."""

    needs = "pairs"
    scores = MappingProxyType({"psnr": "higher"})

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a ratio for each image, of all its channels together."""
        from torchmetrics.functional.image import peak_signal_noise_ratio

        return peak_signal_noise_ratio(fake, real, data_range=1.0, dim=(1, 2, 3), reduction="none")


@METRICS.register("ssim")
class StructuralSimilarity(PairMetric):
    """Structural similarity (Wang et al. 2004): a Gaussian window of 11 pixels, sigma 1.5; the mean over channels.

    Windows that reach beyond the border are left out, as in the paper's own program and scikit-image.
    """

    needs = "pairs"
    scores = MappingProxyType({"ssim": "higher"})
    least_side = WINDOW

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a similarity for each image, in [-1, 1]."""
        from torchmetrics.functional.image import structural_similarity_index_measure

        _, similarity = structural_similarity_index_measure(fake, real, data_range=1.0, return_full_image=True)
        inside = slice(WINDOW // 2, -(WINDOW // 2))  # the library's own mean counts windows over the border or not,
        return similarity[..., inside, inside].flatten(1).mean(1)  # by its version; the paper's does not


@METRICS.register("ms_ssim")
class MultiScaleSimilarity(PairMetric):
    """Structural similarity at five scales (Wang et al. 2003), each half of the one before."""

    needs = "pairs"
    scores = MappingProxyType({"ms_ssim": "higher"})
    least_side = 176  # the window, at a sixteenth of the size

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a similarity for each image, in [0, 1]."""
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

        similarity = multiscale_structural_similarity_index_measure(fake, real, data_range=1.0, reduction="none")
        return similarity.reshape(-1)
