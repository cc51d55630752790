"""The real weights on real images; skipped where they are not at hand."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from metrics.evaluation import Evaluation
from metrics.report import Report
from options.evaluation import EvaluationSettings
from tests.metrics.reports import CPU, of_sets
from tests.metrics.test_lpips import distances, reference_distances

LEGACY = "legacy_pytorch"


def read(path: Path) -> Tensor:
    """An image as 1 x 3 x H x W in [0, 1]."""
    return as_tensor(Image.open(path).convert("RGB"))


def as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


def settings(real_data: Path, mode: str, cache: Path) -> EvaluationSettings:
    weights = str(real_data / "metric_weights")
    return EvaluationSettings(metric_weights=weights, resize_mode=mode, statistics_cache=str(cache))  # type: ignore[arg-type]


def set_report(chosen: EvaluationSettings, fake: Sequence[Tensor], real: Sequence[Tensor]) -> Report:
    return of_sets(["fid", "kid"], fake, real, chosen)


def photos(real_data: Path, count: int) -> Iterator[Image.Image]:
    for path in sorted((real_data / "facades" / "train").iterdir())[:count]:
        yield Image.open(path).convert("RGB").crop((0, 0, 256, 256))


@pytest.mark.slow
def test_the_official_outputs_have_the_fid_of_pytorch_fid(real_data: Path, tmp_path: Path) -> None:
    """90.5762 is what pytorch-fid 0.3.0 says of the two folders."""
    fake = sorted((real_data / "official_outputs" / "horse2zebra_pretrained").glob("*_fake_B.png"))
    real = sorted((real_data / "horse2zebra" / "testB").iterdir())
    report = set_report(settings(real_data, LEGACY, tmp_path), [read(p) for p in fake], [read(p) for p in real])
    assert report.evaluator["images"] == {"fake": 50, "real": 140}
    assert report.scores["fid"].value == pytest.approx(90.5762, rel=1e-3)
    kid = report.scores["kid"]
    assert kid.spread is not None
    assert kid.value == pytest.approx(0.0184, abs=kid.spread / 3)  # what torch-fidelity's features give


@pytest.mark.slow
def test_a_set_against_its_other_half_its_blurred_copy_and_noise(real_data: Path, tmp_path: Path) -> None:
    whole = list(photos(real_data, 16))
    half, other = ([as_tensor(image) for image in whole[start::2]] for start in (0, 1))
    blurred = [as_tensor(image.filter(ImageFilter.GaussianBlur(4))) for image in whole[0::2]]
    noise = list(torch.rand(8, 1, 3, 256, 256, generator=torch.Generator().manual_seed(0)))
    chosen = settings(real_data, "clean", tmp_path)
    scores = [set_report(chosen, fake, half).scores for fake in (half, other, blurred, noise)]
    fid, kid = ([entry[name].value for entry in scores] for name in ("fid", "kid"))
    assert abs(fid[0]) < 1e-3
    assert fid[1:] == sorted(fid[1:])
    assert kid[1:] == sorted(kid[1:])


def test_lpips_of_real_pairs_is_that_of_the_package_lpips(real_data: Path, tmp_path: Path) -> None:
    real = torch.cat([as_tensor(image) for image in photos(real_data, 3)])
    fake = torch.cat([as_tensor(image.filter(ImageFilter.GaussianBlur(2))) for image in photos(real_data, 3)])
    ours = distances(settings(real_data, "clean", tmp_path), fake, real)
    theirs = reference_distances(real_data / "metric_weights", fake, real, heads="lpips_v0.1_lin_alex.pth")
    assert list(ours.values()) == pytest.approx(theirs.tolist(), rel=1e-4)
    assert min(ours.values()) > 0.05


def test_features_are_those_of_pytorch_fid_and_torch_fidelity(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = pytest.importorskip("pytorch_fid.inception")
    other = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    weights = torch.load(
        real_data / "metric_weights" / "inception_v3_fid_2015-12-05_nofc_torchvision_names.pth", weights_only=True
    )
    weights |= {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    torch.save(weights, tmp_path / "with_fc.pth")
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *given, **named: weights)
    images = torch.cat([as_tensor(image) for image in photos(real_data, 2)])
    with torch.no_grad():
        of_pytorch_fid = theirs.InceptionV3().eval()(images)[0][:, :, 0, 0]
        extractor = other.FeatureExtractorInceptionV3("x", ["2048"], str(tmp_path / "with_fc.pth"))
        [of_torch_fidelity] = extractor((images * 255).round().byte())
    for mode, expected in ((LEGACY, of_pytorch_fid), ("legacy_tensorflow", of_torch_fidelity)):
        Evaluation(["fid"], settings(real_data, mode, tmp_path / mode), CPU).real_set([], lambda: [images])
        [kept] = (tmp_path / mode).iterdir()
        torch.testing.assert_close(torch.load(kept, weights_only=True)["rows"], expected, rtol=1e-4, atol=1e-5)
