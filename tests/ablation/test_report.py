"""The table as people read it, from records written by hand."""

from ablation.record import Entry, Score
from ablation.report import columns, markdown, summary
from ablation.tables import read_table

LOSSES = read_table("pix2pix_losses")


def run(row: str, seed: int, **scores: float | None) -> Entry:
    better = {"fid": "lower", "ssim": "higher"}
    found = {name: Score(value=value, better=better[name]) for name, value in scores.items()}
    return Entry(row=row, seed=seed, train_seconds=61.0 + seed, trained=True, scores=found)


RUNS = [
    run("L1", 0, fid=100.0, ssim=0.5),
    run("L1", 1, fid=110.0, ssim=0.7),
    run("GAN", 0, fid=90.0, ssim=None),
    run("GAN", 1, fid=92.0, ssim=None),
    run("L1+cGAN", 0, fid=50.0, ssim=0.61),
    run("L1+cGAN", 1, fid=52.0, ssim=0.63),
    Entry(row="cGAN", seed=0, train_seconds=5.0, trained=False),
]


def test_scores_are_gathered_over_the_seeds() -> None:
    found = columns(RUNS)
    assert {name: column.better for name, column in found.items()} == {"fid": "lower", "ssim": "higher"}
    assert found["fid"].means["L1"][0] == 105
    assert set(found["ssim"].means) == {"L1", "L1+cGAN"}  # what is no number is left out


def test_the_summary_has_a_verdict_on_every_measured_pair() -> None:
    order = summary(LOSSES, RUNS)["order"]
    (pairs,) = order["fid"].values()
    assert {(p["first"], p["second"]): p["verdict"] for p in pairs} == {
        ("L1", "GAN"): "the other way round",
        ("L1+cGAN", "L1"): "as published",
        ("L1+cGAN", "GAN"): "as published",
    }
    (pairs,) = order["ssim"].values()
    assert [p["verdict"] for p in pairs] == ["within the spread"]


def test_the_table_shows_both_papers_scores_and_ours() -> None:
    lines = markdown(LOSSES, RUNS).splitlines()
    rows = {cells[0]: cells[1:] for line in lines if (cells := [c.strip() for c in line.strip("|").split("|")])}
    assert rows["row"] == [
        "fid (lower is better)",
        "ssim (higher is better)",
        "seeds",
        "training",
        "paper: per-pixel",
        "paper: per-class",
        "paper: class IoU",
    ]
    assert rows["L1"] == ["105 ± 7.1", "0.6 ± 0.14", "2", "1 min 02 s", "0.42", "0.15", "0.11"]
    assert rows["GAN"] == ["91 ± 1.4", "", "2", "1 min 02 s", "0.22", "0.05", "0.01"]
    assert rows["cGAN"] == ["", "", "0", "", "0.57", "0.22", "0.16"]
    assert rows["ground truth"] == ["", "", "", "", "0.80", "0.26", "0.21"]
    assert rows["fid"][1:] == ["2 of 3", "L1 > GAN", ""]
    assert rows["ssim"][1:] == ["0 of 1", "", "L1+cGAN > L1"]


def test_it_says_that_the_published_scores_are_of_another_set_and_measure() -> None:
    text = markdown(LOSSES, RUNS)
    assert "another data set and another measure" in text
    assert "FCN scores of Cityscapes label maps to photos" in text
    assert LOSSES.source in text


def test_it_says_what_our_scores_are_of() -> None:
    settings = {"dataroot": "faces", "crop_size": 64, "n_epochs": 5, "lambda_L1": 0, "seed": 0}
    words = ["runs/L1_seed0", "--dataroot", "faces", "--phase", "val", "--output", "x.json"]
    text = markdown(LOSSES, [Entry(row="L1", seed=0, started=True, settings=settings, evaluated=words)])
    line = next(line for line in text.splitlines() if line.startswith("Ours: "))
    assert line == (
        "Ours: `--dataroot faces --crop_size 64 --n_epochs 5`, evaluated with `--dataroot faces --phase val`."
    )


def test_a_single_seed_is_shown_without_a_spread_which_is_said() -> None:
    text = markdown(LOSSES, [run("L1", 0, fid=100.0)])
    assert " 100 |" in text
    assert "single seed" in text
    assert "single seed" not in markdown(LOSSES, RUNS)


def test_of_a_cyclegan_each_measure_goes_with_its_generator() -> None:
    cycles, names = read_table("cycle_gan_losses"), ("fid_G_A", "fid_G_B")
    runs = [
        Entry(row=row, seed=0, train_seconds=1.0, scores={n: {"value": v, "better": "lower"} for n in names})
        for row, v in (("CycleGAN", 1.0), ("GAN + forward cycle", 2.0))
    ]
    photos, labels = (one.measure for one in cycles.published)
    order = summary(cycles, runs)["order"]
    assert {name: list(measures) for name, measures in order.items()} == {"fid_G_A": [photos], "fid_G_B": [labels]}
    assert [pair["verdict"] for pair in order["fid_G_A"][photos]] == ["the other way round"]
    assert [pair["verdict"] for pair in order["fid_G_B"][labels]] == ["as published"]
    text = markdown(cycles, runs)
    assert text.count("another data set") == 2
    assert text.count("fid_G_A (lower is better)") == 1


def test_nothing_measured_yet_is_a_table_too() -> None:
    assert "| L1+cGAN " in markdown(LOSSES, [])
