"""Fetch a generator published with CycleGAN or pix2pix, and say how to use it.

It becomes <checkpoints_dir>/<NAME>_pretrained/latest_net_G.pth. An interrupted download goes on where it stopped when
the command is repeated. Data sets: download.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from datasets.command import command_parser, run_command, writing_to
from datasets.fetch import BASE_URL, Checksum, check_address, fetch, sha256
from options.errors import DamagedError, UserError


class Use(NamedTuple):
    """The published data a model is for: a side of two collections, or a phase and direction of pairs."""

    data: str
    flags: tuple[str, ...] = ()


MODELS: dict[str, dict[str, Use]] = {
    "cyclegan": {
        "apple2orange": Use("apple2orange/testA"),
        "orange2apple": Use("apple2orange/testB"),
        "summer2winter_yosemite": Use("summer2winter_yosemite/testA"),
        "winter2summer_yosemite": Use("summer2winter_yosemite/testB"),
        "horse2zebra": Use("horse2zebra/testA"),
        "zebra2horse": Use("horse2zebra/testB"),
        "monet2photo": Use("monet2photo/testA"),
        "style_monet": Use("monet2photo/testB"),
        "style_cezanne": Use("cezanne2photo/testB"),
        "style_ukiyoe": Use("ukiyoe2photo/testB"),
        "style_vangogh": Use("vangogh2photo/testB"),
        "sat2map": Use("maps/testA"),
        "map2sat": Use("maps/testB"),
        "cityscapes_photo2label": Use("cityscapes/testA"),
        "cityscapes_label2photo": Use("cityscapes/testB"),
        "facades_photo2label": Use("facades/testA"),
        "facades_label2photo": Use("facades/testB"),
        "iphone2dslr_flower": Use("iphone2dslr_flower/testA"),
    },
    "pix2pix": {
        "edges2shoes": Use("edges2shoes", ("--phase", "val")),
        "sat2map": Use("maps", ("--phase", "val")),
        "map2sat": Use("maps", ("--phase", "val", "--direction", "BtoA")),
        "facades_label2photo": Use("facades", ("--direction", "BtoA")),
        "day2night": Use("night2day", ("--direction", "BtoA")),
    },
}
FOLDERS = {"cyclegan": "cyclegan/pretrained_models", "pix2pix": "pix2pix/models-pytorch"}  # on the server
RUN_FLAGS = {"cyclegan": ("--model", "test", "--no_dropout"), "pix2pix": ("--model", "pix2pix")}


def choose_family(name: str, family: str | None) -> str:
    """Give the family a model belongs to.

    Raises:
        UserError: for unknown names, and for names in both families, which are different networks.
    """
    families = [known for known, models in MODELS.items() if name in models]
    if not families:
        every = ", ".join(sorted({*MODELS["cyclegan"], *MODELS["pix2pix"]}))
        raise UserError(f"there is no model {name!r}; choose one of {every} (data sets: download)")
    if family and family not in families:
        raise UserError(f"{name} is not in the {family} family; pass --family {families[0]} or leave it out")
    if not family and len(families) > 1:
        raise UserError(f"{name} exists twice; pass --family {families[0]} or --family {families[1]}")
    return family or families[0]


def download_model(name: str, checkpoints_dir: Path, *, family: str, base_url: str, checksum: Checksum | None) -> Path:
    """Fetch one generator, read it once, and give its file.

    Raises:
        UserError: for everything that stops it; what was there before is left alone.
    """
    from util.checkpoint import load_weights

    check_address(base_url)
    target = checkpoints_dir / f"{name}_pretrained" / "latest_net_G.pth"
    received = target.with_name(f".{family}.pth")
    with writing_to(target):
        url = f"{base_url.rstrip('/')}/{FOLDERS[family]}/{name}.pth"
        fetch(url, received, checksum=checksum)
        try:
            load_weights(received)
        except UserError as error:
            received.unlink()
            raise DamagedError(f"{url} is not a network or is damaged; it was removed, try again later") from error
        received.replace(target)
    return target


def commands(name: str, checkpoints_dir: Path, *, family: str) -> list[str]:
    """Give the commands that fetch the data of a model and translate them."""
    use = MODELS[family][name]
    data = use.data.split("/")[0]
    prepare = f"python -m datasets.download {data} --family {family}"
    if data == "cityscapes":
        prepare = "python -m datasets.prepare_cityscapes_dataset --help"
    place = () if checkpoints_dir == Path("checkpoints") else ("--checkpoints_dir", str(checkpoints_dir))
    dataroot = ("--dataroot", f"datasets/{use.data}")
    test = ("python", "test.py", *dataroot, "--name", f"{name}_pretrained", *place, *RUN_FLAGS[family], *use.flags)
    return [prepare, " ".join(test)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    lists = [f"{family}: {', '.join(names)}" for family, names in MODELS.items()]
    parser = command_parser("download_model", __doc__, "\n".join(lists))
    parser.add_argument("name", metavar="NAME", help="the model, see the lists below")
    parser.add_argument("--family", choices=list(MODELS), help="needed for names in both lists")
    parser.add_argument("--checkpoints_dir", type=Path, default=Path("checkpoints"), help="default: %(default)s")
    parser.add_argument("--base_url", default=BASE_URL, help="a mirror, default: %(default)s")
    parser.add_argument("--sha256", help="refuse a file with another SHA-256")
    args = parser.parse_args(argv)

    def work() -> None:
        family = choose_family(args.name, args.family)
        checksum = sha256(args.sha256)
        file = download_model(args.name, args.checkpoints_dir, family=family, base_url=args.base_url, checksum=checksum)
        print(f"{file} is ready; use it with")
        for command in commands(args.name, args.checkpoints_dir, family=family):
            print(f"  {command}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
