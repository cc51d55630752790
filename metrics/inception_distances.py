"""Distances between two sets of images, by Inception's features: FID, KID, precision and recall."""

import warnings
from types import MappingProxyType

import torch
from torch import Tensor, nn

from metrics.base import METRICS, Score, SetMetric
from metrics.inception_features import InceptionFeatures
from options.errors import UserError
from util.determinism import RandomState

FEW = 2000  # images of a set, below which FID is far above what more images would give
KID_SEED = 2018  # of the subsets: the same in every evaluation
NEIGHBOURS = 3  # of precision and recall


class Given(nn.Module):
    """Stands where torchmetrics has its network: the features are computed already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """Return them."""
        return features


@METRICS.register("fid")
class FrechetDistance(SetMetric):
    """Frechet Inception distance (Heusel et al. 2017): of two normal distributions with the sets' moments."""

    description = InceptionFeatures
    fewest = 2
    scores = MappingProxyType({"fid": "lower"})

    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        """Return the distance, computed in float64."""
        from torchmetrics.image.fid import FrechetInceptionDistance

        fake, real = in_their_span(fake.double(), real.double())
        metric = FrechetInceptionDistance(Given(fake.shape[1]), sync_on_compute=False)
        metric.update(real, real=True)
        metric.update(fake, real=False)
        return self.named(float(metric.compute()))

    def warnings(self, fakes: int, reals: int) -> list[str]:
        """Return a sentence if either set has few images."""
        if min(fakes, reals) >= FEW:
            return []
        return [
            f"{fakes:,} translations against {reals:,} real images: with fewer than {FEW:,} of either, FID is biased "
            "upward; compare only with scores of the same counts, and prefer KID, which has no bias"
        ]


def in_their_span(fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Move and turn both sets so that they need no more coordinates than there are images.

    No distance changes. With 50 images in 2048 dimensions nearly all of a covariance is zeros, whose roots are noise.
    """
    both = torch.cat([fake, real])
    both = both - both.mean(0)
    if len(both) < both.shape[1]:
        both = both @ torch.linalg.qr(both.T).Q
    return both[: len(fake)], both[len(fake) :]


@METRICS.register("kid")
class KernelDistance(SetMetric):
    """Kernel Inception distance (Binkowski et al. 2018): the unbiased squared MMD with a cubic kernel.

    Its expectation is 0 for sets of one distribution, so that it can be a little below.
    """

    description = InceptionFeatures
    fewest = 2
    scores = MappingProxyType({"kid": "lower"})

    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        """Return the mean over random subsets and its standard deviation over them, computed in float64."""
        from torchmetrics.image.kid import KernelInceptionDistance

        self.size = self.subset_size(len(fake), len(real))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it keeps all features: so do we
            metric = KernelInceptionDistance(
                Given(fake.shape[1]), subsets=self.settings.kid_subsets, subset_size=self.size, sync_on_compute=False
            )
        metric.update(real.double(), real=True)
        metric.update(fake.double(), real=False)
        with RandomState(torch.device("cpu")).replayed():  # it draws from the global generator
            torch.default_generator.manual_seed(KID_SEED)
            mean, spread = metric.compute()
        return self.named(float(mean), spread=float(spread))

    def subset_size(self, fakes: int, reals: int) -> int:
        """Return ``--kid_subset_size``, or half of the smaller set: subsets of all of it would hardly differ."""
        return min(self.settings.kid_subset_size, max(2, min(fakes, reals) // 2))

    def about(self) -> dict[str, object]:
        """Return how the subsets were drawn."""
        return {"kid": {"subsets": self.settings.kid_subsets, "subset_size": self.size, "seed": KID_SEED}}


class _Neighbours(SetMetric):
    """Improved precision and recall (Kynkaanniemi et al. 2019), on Inception's features instead of VGG-16's."""

    description = InceptionFeatures
    fewest = NEIGHBOURS + 1

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        try:
            import torch_fidelity as torch_fidelity
        except ModuleNotFoundError:
            raise UserError(
                "precision and recall need the package torch-fidelity: pip install torch-fidelity"
            ) from None

    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        """Return the share of images that lie among the three nearest neighbours of an image of the other set."""
        from torch_fidelity.metric_prc import prc_features_to_metric

        both = prc_features_to_metric(fake, real, prc_neighborhood=NEIGHBOURS, verbose=False, save_cpu_ram=False)
        return self.named(*(both[name] for name in self.scores))

    def about(self) -> dict[str, object]:
        """Return whose formula it is."""
        import torch_fidelity

        return {"torch_fidelity": torch_fidelity.__version__, "neighbours": NEIGHBOURS}


@METRICS.register("precision")
class Precision(_Neighbours):
    """The share of translations that lie among real images."""

    scores = MappingProxyType({"precision": "higher"})


@METRICS.register("recall")
class Recall(_Neighbours):
    """The share of real images that lie among translations."""

    scores = MappingProxyType({"recall": "higher"})
