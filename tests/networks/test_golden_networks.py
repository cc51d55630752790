"""Our networks are the official ones: names, counts and outputs."""

import zlib
from typing import Any

import numpy as np
import pytest
import torch

from networks.factory import build_discriminator, build_generator
from options.schema import NetOptions
from tests.recorded import fill, golden, images

CASES = golden("networks")

# parameters of a 3 -> 3 channel network of width 64, by norm (official code)
COUNTS = {
    "resnet_9blocks": {"instance": 11_378_179, "batch": 11_383_427, "none": 11_372_931},
    "resnet_6blocks": {"instance": 7_837_699, "batch": 7_841_411, "none": 7_833_987},
    "unet_256": {"instance": 54_409_603, "batch": 54_413_955, "none": 54_404_099},
    "unet_128": {"instance": 41_825_667, "batch": 41_828_995, "none": 41_821_187},
    ("basic", 3): {"instance": 2_764_737, "batch": 2_765_633, "none": 2_763_841},
    ("basic", 6): {"instance": 2_767_809, "batch": 2_768_705, "none": 2_766_913},
    ("pixel", 3): {"instance": 8_705, "batch": 8_832, "none": 8_576},
    ("pixel", 6): {"instance": 8_897, "batch": 9_024, "none": 8_768},
}


def build(case: dict[str, Any]) -> torch.nn.Module:
    if case["kind"] == "G":
        opt = NetOptions(netG=case["net"], norm=case["norm"], ngf=case["ngf"], no_dropout=not case["dropout"])
        return build_generator(opt, case["input_nc"], case["output_nc"])
    opt = NetOptions(netD=case["net"], norm=case["norm"], ndf=case["ndf"], n_layers_D=case["n_layers"])
    return build_discriminator(opt, case["input_nc"])


@pytest.mark.parametrize("name", CASES)
def test_network_equals_the_official_one(name: str) -> None:
    case = CASES[name]
    net = build(case).eval()
    keys = list(net.state_dict())
    assert sum(p.numel() for p in net.parameters()) == case["params"]
    assert len(keys) == case["nkeys"]
    assert zlib.crc32("\n".join(sorted(keys)).encode()) == case["keys"]

    fill(net)
    with torch.no_grad():
        out = net(images(7 if case["kind"] == "G" else 9, 1, case["input_nc"], case["size"], case["size"]))
    assert list(out.shape) == case["shape"]
    picked = out.flatten()[np.linspace(0, out.numel() - 1, 8).astype(int)]
    np.testing.assert_allclose(picked, case["pick"], atol=1e-5)
    np.testing.assert_allclose(
        [out.mean(), out.std(), out.abs().mean()], [case["mean"], case["std"], case["abs"]], atol=1e-5
    )


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("name", COUNTS)
def test_parameter_count(name: str | tuple[str, int], norm: Any) -> None:
    with torch.device("meta"):
        if isinstance(name, str):
            net = build_generator(NetOptions(netG=name, norm=norm), 3, 3)
        else:
            net = build_discriminator(NetOptions(netD=name[0], norm=norm), name[1])
    assert sum(p.numel() for p in net.parameters()) == COUNTS[name][norm]


def test_syncbatch_files_are_batch_files() -> None:
    built = [build_generator(NetOptions(netG="unet_32", norm=n, ngf=4), 3, 3) for n in ("batch", "syncbatch")]
    built[1].load_state_dict(built[0].state_dict())
    x = images(1, 2, 3, 32, 32)
    for net in built:
        net.eval()
    torch.testing.assert_close(built[1](x), built[0](x))


@pytest.mark.parametrize(("layers", "side"), [(1, 126), (2, 62), (3, 30), (4, 14), (5, 6), (6, 2)])
def test_discriminator_judges_that_many_patches(layers: int, side: int) -> None:
    net = build_discriminator(NetOptions(netD="n_layers", n_layers_D=layers, ndf=2), 3)
    assert net(images(1, 1, 3, 256, 256)).shape == (1, 1, side, side)


def test_odd_sizes_give_the_official_image_without_its_surplus_rows_and_columns() -> None:
    net: Any = build_generator(NetOptions(netG="resnet_1blocks", ngf=2, no_dropout=True), 3, 3)
    x = images(1, 1, 3, 30, 31)
    official = net.model(x)  # rounds up to multiples of four
    assert official.shape == (1, 3, 32, 32)
    assert torch.equal(net(x), official[:, :, :30, :31])
