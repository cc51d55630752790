"""The tables of the papers: complete, and every row something that train.py accepts and builds."""

import pytest

from ablation.plan import plan
from ablation.tables import listing, read_table, table_names, words
from models.registry import MODELS, create_model
from networks.receptive_field import receptive_field
from options.ablate import parse_ablate
from options.cli import parse_train
from options.errors import UserError
from options.schema import Options

NAMES = table_names()
SMALL = {
    "pix2pix": "--load_size 36 --crop_size 32 --ngf 2 --ndf 2",
    "cycle_gan": "--load_size 36 --crop_size 32 --ngf 2 --ndf 2 --netG resnet_1blocks",
}
ROWS = [pytest.param(name, row.label, id=f"{name} {row.label}") for name in NAMES for row in read_table(name).rows]


def row_options(name: str, label: str, *flags: str) -> Options:
    words = [name, "--dataroot", "x", "--seeds", "1", "--only", label, "--", *flags]
    (job,) = plan(read_table(name), parse_ablate(words))
    return parse_train(job.train)


def test_they_are_those_of_the_papers() -> None:
    pix2pix = {f"pix2pix_{what}" for what in ("losses", "architecture", "patch_size", "colors")}
    assert set(NAMES) == {*pix2pix, "cycle_gan_losses"}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_complete(name: str) -> None:
    table = read_table(name)
    labels = [row.label for row in table.rows]
    assert len({row.slug.lower() for row in table.rows}) == len(labels)
    assert "arXiv" in table.source
    assert table.model in MODELS
    for one in table.published:
        assert list(one.rows) == labels
        assert not set(one.beside) & set(labels)
        assert {len(values) for values in [*one.rows.values(), *one.beside.values()]} == {len(one.columns)}
        assert all(0 <= value <= 1 for values in one.rows.values() for value in values)


@pytest.mark.parametrize(("name", "label"), ROWS)
def test_every_row_is_accepted_in_the_size_of_the_paper(name: str, label: str) -> None:
    opt = row_options(name, label)
    size = {"pix2pix": 256, "cycle_gan": 128}[opt.run.model]
    assert (opt.data.crop_size, opt.run.seed, opt.start.resume) == (size, 0, "auto")
    kinds = {"pix2pix": ("unet_256", "encdec_256"), "cycle_gan": ("resnet_6blocks",)}
    assert opt.net.netG in kinds[opt.run.model]


@pytest.mark.parametrize(("name", "label"), ROWS)
def test_every_row_is_built(name: str, label: str) -> None:
    opt = row_options(name, label, *SMALL[read_table(name).model].split())
    assert opt.net.netG in ("unet_32", "encdec_32", "resnet_1blocks")  # follows --crop_size, or what is typed
    assert set(create_model(opt).networks) >= ({"G"} if opt.run.model == "pix2pix" else {"G_A", "G_B"})


def test_the_losses_are_those_of_table_1() -> None:
    options = {row.label: row_options("pix2pix_losses", row.label).own for row in read_table("pix2pix_losses").rows}
    found = {label: (bool(o.lambda_L1), bool(o.lambda_GAN), o.no_conditional_D) for label, o in options.items()}
    assert found == {
        "L1": (True, False, False),
        "GAN": (False, True, True),
        "cGAN": (False, True, False),
        "L1+GAN": (True, True, True),
        "L1+cGAN": (True, True, False),
    }


def test_the_cycles_are_those_of_tables_4_and_5() -> None:
    rows = read_table("cycle_gan_losses").rows
    options = {row.label: row_options("cycle_gan_losses", row.label).own for row in rows}
    assert {label: (bool(o.lambda_GAN), bool(o.lambda_A), bool(o.lambda_B)) for label, o in options.items()} == {
        "cycle alone": (False, True, True),
        "GAN alone": (True, False, False),
        "GAN + forward cycle": (True, True, False),
        "GAN + backward cycle": (True, False, True),
        "CycleGAN": (True, True, True),
    }
    assert {o.lambda_identity for o in options.values()} == {0}


@pytest.mark.parametrize(("label", "pixels"), [("1x1", 1), ("16x16", 16), ("70x70", 70), ("286x286", 286)])
def test_a_discriminator_sees_as_much_as_its_row_says(label: str, pixels: int) -> None:
    opt = row_options("pix2pix_patch_size", label, "--ndf", "2", "--ngf", "2")
    assert receptive_field(create_model(opt).networks["D"]) == pixels


def test_what_is_typed_overrides_the_table_but_not_the_row() -> None:
    assert row_options("pix2pix_architecture", "U-Net L1").data.batch_size == 10
    opt = row_options("pix2pix_architecture", "U-Net L1", "--batch_size", "1")
    assert (opt.data.batch_size, opt.net.netG, opt.own.lambda_GAN) == (1, "unet_256", 0)


def test_flags_become_words() -> None:
    flags = {"netG": "encdec_{size}", "lambda_L1": 0, "no_flip": True, "no_html": False}
    assert " ".join(words(flags, 64)) == "--netG encdec_64 --lambda_L1 0 --no_flip true --no_html false"


def test_rows_are_chosen_by_label_or_file_name_in_any_case() -> None:
    table = read_table("pix2pix_losses")
    assert [row.label for row in table.chosen("L1-cGAN, gan")] == ["GAN", "L1+cGAN"]
    assert table.chosen("") == table.rows


@pytest.mark.parametrize(
    ("table", "rows", "words"),
    [
        ("pix2pix_loses", "", "unknown table 'pix2pix_loses'; did you mean 'pix2pix_losses'?; known: cycle_gan_losses"),
        ("pix2pix_losses", "cGANs", "pix2pix_losses has no row 'cGANs'; did you mean 'cGAN'?; its rows: L1, GAN"),
    ],
)
def test_an_unknown_name_is_explained(table: str, rows: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        read_table(table).chosen(rows)
    assert words in str(error.value)


def test_the_list_has_every_table_and_row() -> None:
    text = listing(NAMES)
    assert all(f"{name}: " in text for name in NAMES)
    assert "    L1+GAN   --no_conditional_D true" in text.splitlines()
