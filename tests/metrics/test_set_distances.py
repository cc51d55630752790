"""FID, KID, precision and recall of features that are known."""

import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from metrics.base import METRICS, Score, SetMetric
from metrics.inception_distances import KID_SEED, KernelDistance
from options.errors import UserError
from options.evaluation import EvaluationSettings

CPU = torch.device("cpu")


def features(count: int, dimensions: int, seed: int, shift: float = 0.0) -> Tensor:
    """Features with directions of very different spread, as Inception's have."""
    random = np.random.RandomState(seed)
    mixed = random.randn(count, dimensions) * np.geomspace(1, 1e-3, dimensions)
    basis, _ = np.linalg.qr(np.random.RandomState(0).randn(dimensions, min(dimensions, 300)))
    return torch.from_numpy(np.abs(mixed[:, : basis.shape[1]] @ basis.T * 3 + 0.4 + shift)).float()


def compare(name: str, fake: Tensor, real: Tensor, **chosen: int) -> dict[str, Score]:
    metric = METRICS[name](EvaluationSettings(**chosen), CPU)  # type: ignore[arg-type]
    assert isinstance(metric, SetMetric)
    return metric.compare(fake, real)


def fid(fake: Tensor, real: Tensor) -> float:
    return compare("fid", fake, real)["fid"].value


def test_fid_of_known_moments_is_the_formula() -> None:
    # two points on each axis at +-s have mean 0 and variance 2 s^2 / 3 (four points, one less in the denominator)
    def points(x: float, y: float, shift: float) -> Tensor:
        return torch.tensor([[x, 0.0], [-x, 0.0], [0.0, y], [0.0, -y]]) + shift

    by_axis = sum((np.sqrt(2 * a * a / 3) - np.sqrt(2 * b * b / 3)) ** 2 for a, b in ((3, 1), (2, 5)))
    assert fid(points(3, 2, 0.5), points(1, 5, 0.0)) == pytest.approx(0.5**2 * 2 + by_axis)


@pytest.mark.parametrize(("fakes", "reals", "dimensions"), [(50, 140, 512), (50, 50, 256), (200, 300, 64)])
def test_fid_is_that_of_pytorch_fid_with_few_images_too(fakes: int, reals: int, dimensions: int) -> None:
    reference = pytest.importorskip("pytorch_fid.fid_score").calculate_frechet_distance
    fake, real = features(fakes, dimensions, 1, shift=0.1), features(reals, dimensions, 2)
    moments = [(f.mean(0), np.cov(f, rowvar=False)) for f in (fake.double().numpy(), real.double().numpy())]
    theirs = reference(moments[0][0], moments[0][1], moments[1][0], moments[1][1])
    assert fid(fake, real) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("count", [2, 50, 300])
def test_fid_of_a_set_and_itself_is_0(count: int) -> None:
    images = features(count, 256, 3)
    assert abs(fid(images, images.flip(0))) < 1e-3


def test_fid_does_not_depend_on_the_order() -> None:
    fake, real = features(20, 512, 1), features(30, 512, 2, shift=0.2)
    assert fid(fake[torch.randperm(20)], real) == pytest.approx(fid(fake, real), rel=1e-9)
    assert fid(real, fake) == pytest.approx(fid(fake, real), rel=1e-6)


def cubic_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased squared MMD (Gretton et al. 2012, equation 3) with KID's kernel, written out."""

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    m = len(x)
    within = sum(kernel(s[i], s[j]) for s in (x, y) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within - 2 * sum(kernel(a, b) for a in x for b in y) / m**2


def test_kid_is_the_formula_over_subsets_of_fixed_seed() -> None:
    fake, real = features(9, 16, 1, shift=0.3), features(8, 16, 2)
    draw = torch.Generator().manual_seed(KID_SEED)
    values = []
    for _ in range(5):
        picked = [s[torch.randperm(len(s), generator=draw)[:4]].double().numpy() for s in (real, fake)]
        values.append(cubic_mmd(*picked))
    kid = compare("kid", fake, real, kid_subsets=5)["kid"]
    assert kid.value == pytest.approx(np.mean(values))
    assert kid.spread == pytest.approx(np.std(values))


def test_kid_agrees_with_torch_fidelity_within_the_error_of_the_draw() -> None:
    reference = pytest.importorskip("torch_fidelity.metric_kid").kid_features_to_metric
    fake, real = features(60, 128, 1, shift=0.1), features(80, 128, 2)
    theirs = reference(fake, real, kid_subsets=400, kid_subset_size=30, verbose=False)
    kid = compare("kid", fake, real, kid_subsets=400)["kid"]
    error = theirs["kernel_inception_distance_std"] / np.sqrt(400)
    assert kid.value == pytest.approx(theirs["kernel_inception_distance_mean"], abs=5 * error)
    assert kid.spread == pytest.approx(theirs["kernel_inception_distance_std"], rel=0.2)


def test_kid_of_one_distribution_is_0_within_its_spread() -> None:
    kid = compare("kid", features(200, 64, 1), features(200, 64, 2))["kid"]
    assert kid.spread is not None
    assert abs(kid.value) < kid.spread


def test_kid_leaves_the_random_numbers_of_a_training_alone() -> None:
    before = torch.get_rng_state()
    first = compare("kid", features(20, 32, 1), features(20, 32, 2))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert compare("kid", features(20, 32, 1), features(20, 32, 2)) == first


@pytest.mark.parametrize(
    ("asked", "fakes", "reals", "used"),
    [(1000, 50, 140, 25), (10, 50, 140, 10), (1000, 3, 9, 2), (1000, 5000, 9000, 1000)],
)
def test_subsets_of_kid_are_at_most_half_of_the_smaller_set(asked: int, fakes: int, reals: int, used: int) -> None:
    assert KernelDistance(EvaluationSettings(kid_subset_size=asked), CPU).subset_size(fakes, reals) == used


def test_precision_and_recall_of_sets_that_overlap_in_part() -> None:
    pytest.importorskip("torch_fidelity")
    real = torch.arange(20.0)[:, None]  # 0 ... 19
    fake = torch.arange(10.0, 14.0)[:, None] + 0.5  # all among them; each ball reaches 3 to either side of the ends
    assert compare("precision", fake, real)["precision"].value == 1
    assert compare("recall", fake, real)["recall"].value == pytest.approx(9 / 20)  # 8 ... 16 of radius 2 or 3
    assert compare("precision", fake + 100, real)["precision"].value == 0
    assert compare("recall", real, real)["recall"].value == 1


@pytest.mark.parametrize(("fakes", "reals", "sentences"), [(2000, 3000, 0), (1999, 3000, 1), (2000, 50, 1)])
def test_fid_of_few_images_is_warned_of(fakes: int, reals: int, sentences: int) -> None:
    metric = METRICS["fid"](EvaluationSettings(), CPU)
    assert isinstance(metric, SetMetric)
    assert len(metric.warnings(fakes, reals)) == sentences


def test_precision_names_the_package_whose_formula_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytest.importorskip("torch_fidelity")
    about = METRICS["precision"](EvaluationSettings(), CPU).about()
    assert about == {"torch_fidelity": package.__version__, "neighbours": 3}
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(UserError, match="precision and recall need the package torch-fidelity: pip install"):
        METRICS["precision"](EvaluationSettings(), CPU)
