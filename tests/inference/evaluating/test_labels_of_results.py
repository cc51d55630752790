"""Which images of a folder of results are compared with the real ones."""

import json
from pathlib import Path

import pytest

from tests.conftest import RunCli
from tests.measuring import CYCLE, PAIRS, SIZE, evaluate, images, labelled_folder, measured, value
from tests.refusals import refused
from tests.runs import make_run

BOTH = "real_A fake_B rec_A real_B fake_A rec_B"


@pytest.mark.parametrize(
    ("labels", "names", "direction", "taken"),
    [
        ("real fake", "a0 a1", "AtoB", "fake"),
        ("real_A real_B_rgb fake_B_rgb", "a0 a1", "AtoB", "fake_B_rgb"),
        ("real_A fake_B real_B", "a0 a1", "AtoB", "fake_B"),
        (BOTH, "a0 a1", "AtoB", "fake_B"),
        (BOTH, "a0 a1", "BtoA", "fake_A"),  # of a CycleGAN the direction chooses the generator
        (BOTH, "b0 b1", "AtoB", "fake_A"),  # results that are named after B are of a run from B to A
        (BOTH, "b0 b1", "BtoA", "fake_B"),
    ],
)
def test_what_imitates_the_real_images_is_found(
    labels: str, names: str, direction: str, taken: str, unaligned_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    folder = labelled_folder(tmp_path / "made", labels, names)
    words = [folder, "--dataroot", unaligned_root, "--metrics", "histogram", "--direction", direction]
    found = measured(run_cli, *words)
    assert images(found) == (2, 2)
    assert found["about"]["label"] == taken


def test_results_of_model_test_are_measured_without_the_real_ones(
    unaligned_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    make_run(tmp_path / "checkpoints" / "cg", "cycle_gan", CYCLE)
    given = ["--name", "cg", "--model", "test", "--dataroot", unaligned_root / "testA"]
    assert run_cli("test", given).code == 0
    folder = "results/cg/test_latest/images"
    words = [folder, "--dataroot", unaligned_root, "--metrics", "histogram"]
    found = measured(run_cli, *words)
    assert images(found) == (2, 2)
    assert found["scores"] == measured(run_cli, *words, "--label fake")["scores"]


def test_fake_a_has_the_name_of_an_image_that_it_is_not_made_of(
    unaligned_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    folder = labelled_folder(tmp_path / "made", "fake_A fake_B")
    words = [folder, "--dataroot", unaligned_root, "--direction", "BtoA", "--metrics", "l1"]
    refused(evaluate(run_cli, *words), "l1 cannot be measured: .*a0_fake_A.png .* not the one that it is made of")


def test_pix2pix_from_b_to_a_writes_fake_b(aligned_root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    make_run(tmp_path / "checkpoints" / "p", "pix2pix", f"{PAIRS} --direction BtoA")
    words = ["--name", "p", "--dataroot", aligned_root, "--metrics", "l1"]
    assert run_cli("test", words).code == 0
    folder = Path("results/p/test_latest")
    words = [folder / "images", "--dataroot", aligned_root, "--direction", "BtoA", "--metrics", "l1", SIZE]
    found = measured(run_cli, *words)
    assert found["about"]["label"] == "fake_B"
    assert value(found) == pytest.approx(value(json.loads((folder / "metrics.json").read_text())), abs=1e-6)


def test_a_cycle_gan_against_a_plain_folder_of_its_own_names_is_not_guessed(
    unaligned_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    folder = labelled_folder(tmp_path / "made", "fake_A fake_B")
    words = ["--metrics", "histogram", "--dataroot"]
    refused(evaluate(run_cli, folder, *words, unaligned_root / "testA"), "fake_A and fake_B.*--label")
    assert measured(run_cli, folder, *words, unaligned_root / "testB")["about"]["label"] == "fake_B"


@pytest.mark.parametrize(
    ("labels", "words", "sentence"),
    [
        ("real_A rec_A", "", r"results of test.py \(real_A, rec_A\).*none of them imitates B.*--label"),
        ("fake_A real_A", "", "none of them imitates B"),
        ("fake real", "--label fake_B", r"ends in _fake_B; there are fake, real"),
    ],
)
def test_other_labels_are_named(
    labels: str, words: str, sentence: str, unaligned_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    folder = labelled_folder(tmp_path / "made", labels)
    given = [folder, "--dataroot", unaligned_root, "--metrics", "histogram", words]
    refused(evaluate(run_cli, *given), sentence)
