"""Files from before PyTorch 0.4 carry buffers of instance norms; they load."""

import pytest
import torch
from torch import Tensor, nn

from models.trained_run import fill
from networks.legacy import without_instance_norm_buffers
from networks.resnet import ResnetGenerator
from networks.unet import UnetGenerator

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def with_old_buffers(net: nn.Module) -> dict[str, Tensor]:
    """Return the weights as an old PyTorch saved them, with statistics for every instance norm."""
    weights = dict(net.state_dict())
    for name, module in net.named_modules():
        if isinstance(module, nn.InstanceNorm2d):
            old = nn.InstanceNorm2d(module.num_features, affine=False, track_running_stats=True)
            weights |= {f"{name}.{key}": value for key, value in old.state_dict().items()}
    return weights


def resnet(norm: str) -> nn.Module:
    return ResnetGenerator(3, 3, ngf=4, blocks=2, norm=norm, dropout=True, upsampling="transposed")


def unet(norm: str) -> nn.Module:
    return UnetGenerator(3, 3, ngf=4, num_downs=5, norm=norm, dropout=True, upsampling="transposed")


def test_an_old_instance_norm_file_loads_whole() -> None:
    for make in (resnet, unet):
        old, net = make("instance"), make("instance")
        weights = with_old_buffers(old)
        assert all(any(key.endswith(buffer) for key in weights) for buffer in BUFFERS)
        fill(net, weights, source="latest_net_G.pth", flags="")
        for key, value in old.state_dict().items():
            assert torch.equal(net.state_dict()[key], value)


def test_only_the_stale_buffers_are_dropped_and_the_given_weights_stay() -> None:
    net = resnet("instance")
    weights = with_old_buffers(net)
    count = len(weights)
    assert list(without_instance_norm_buffers(weights, net)) == list(net.state_dict())
    assert len(weights) == count


def test_the_statistics_of_batch_norms_are_kept() -> None:
    for make in (resnet, unet):
        old, net = make("batch"), make("batch")
        for module in old.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean = torch.randn(module.num_features)
        weights = old.state_dict()
        assert list(without_instance_norm_buffers(weights, net)) == list(weights)
        fill(net, weights, source="", flags="")
        for key, value in weights.items():
            assert torch.equal(net.state_dict()[key], value), key


def test_batch_norm_statistics_do_not_slip_into_an_instance_norm_network() -> None:
    weights = resnet("batch").state_dict()
    with pytest.raises(
        ValueError, match=r"G.pth does not fit the network built by --norm instance.*pass .*--norm batch"
    ):
        fill(resnet("instance"), weights, source="latest_net_G.pth", flags="--norm instance")
