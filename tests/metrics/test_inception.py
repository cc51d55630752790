"""The network of FID beside that of pytorch-fid."""

import pytest
import torch
from torch import Tensor

from metrics.inception import fid_inception


def random_images(count: int) -> Tensor:
    return torch.rand(count, 3, 299, 299, generator=torch.Generator().manual_seed(0)) * 2 - 1


def theirs(weights: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """The network of pytorch-fid, with the weights given."""
    reference = pytest.importorskip("pytorch_fid.inception")
    classifier = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    monkeypatch.setattr(reference, "load_state_dict_from_url", lambda *given, **named: {**weights, **classifier})
    network: torch.nn.Module = reference.InceptionV3(resize_input=False, normalize_input=False)
    return network.eval()


def test_features_are_those_of_pytorch_fid(
    inception_weights: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = random_images(2)
    with torch.no_grad():
        ours = fid_inception(inception_weights)(images)
        reference = theirs(inception_weights, monkeypatch)(images)[0][:, :, 0, 0]
    assert ours.shape == (2, 2048)
    assert ours.std(0).max() > 1e-2  # they tell images apart
    torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-5)


def test_classifiers_in_a_file_change_nothing(inception_weights: dict[str, Tensor]) -> None:
    extra = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008), "AuxLogits.fc.bias": torch.zeros(8)}
    images = random_images(1)
    torch.testing.assert_close(
        fid_inception({**inception_weights, **extra})(images), fid_inception(inception_weights)(images)
    )


def test_weights_of_another_network_are_refused(inception_weights: dict[str, Tensor]) -> None:
    some = dict(list(inception_weights.items())[1:])
    with pytest.raises(RuntimeError, match="Missing key"):
        fid_inception(some)


def test_building_it_draws_no_random_numbers(inception_weights: dict[str, Tensor]) -> None:
    before = torch.get_rng_state()
    fid_inception(inception_weights)
    assert torch.equal(torch.get_rng_state(), before)
