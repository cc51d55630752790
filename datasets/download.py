"""Fetch and unpack the data sets published with CycleGAN and pix2pix, or make pairs of emoji.

An interrupted download goes on where it stopped when the command is repeated. Trained models: download_model.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from datasets.archive import unpack
from datasets.command import command_parser, run_command, writing_to
from datasets.emoji_pairs import make_emoji
from datasets.fetch import BASE_URL, Checksum, check_address, fetch, sha256
from datasets.image import images_below
from options.errors import DamagedError, UserError
from util.npm_package import registry

ENDINGS = {"pix2pix": ".tar.gz", "cyclegan": ".zip"}
SETS = {
    "pix2pix": ("edges2handbags", "edges2shoes", "facades", "maps", "night2day"),
    "cyclegan": (
        "ae_photos",
        "apple2orange",
        "cezanne2photo",
        "facades",
        "horse2zebra",
        "iphone2dslr_flower",
        "maps",
        "mini",
        "mini_colorization",
        "mini_pix2pix",
        "monet2photo",
        "summer2winter_yosemite",
        "ukiyoe2photo",
        "vangogh2photo",
    ),
}
EMOJI = "emoji"


def choose_family(name: str, family: str | None) -> str:
    """Give the family a set is fetched from; a name in both families defaults to pix2pix (paired).

    Raises:
        UserError: for unknown names, and for cityscapes, whose licence forbids redistribution.
    """
    if name == "cityscapes":
        raise UserError(
            "cityscapes cannot be downloaded here because its licence forbids redistribution; get it from "
            "https://www.cityscapes-dataset.com and type: python -m datasets.prepare_cityscapes_dataset --help"
        )
    families = [known for known, names in SETS.items() if name in names]
    if not families:
        every = ", ".join(sorted({EMOJI, *SETS["pix2pix"], *SETS["cyclegan"]}))
        raise UserError(f"there is no data set {name!r}; choose one of {every} (trained models: download_model)")
    if family and family not in families:
        raise UserError(f"{name} is not in the {family} family; pass --family {families[0]} or leave it out")
    return family or families[0]


def download(name: str, to: Path, *, family: str | None, base_url: str, checksum: Checksum | None = None) -> Path:
    """Fetch and unpack one data set and give its folder.

    Raises:
        UserError: for everything that stops it; what was there before is left alone.
    """
    chosen = choose_family(name, family)
    check_address(base_url)
    target = to / name
    archive = to / f".{chosen}-{name}{ENDINGS[chosen]}"
    with writing_to(target):
        fetch(f"{base_url.rstrip('/')}/{chosen}/datasets/{name}{ENDINGS[chosen]}", archive, checksum=checksum)
        try:
            unpack(archive, target)
        except DamagedError:  # the next attempt must fetch it again
            archive.unlink()
            raise
        archive.unlink()
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    lists = [f"{family}: {', '.join(names)}" for family, names in SETS.items()]
    lists += [f"pairs: {EMOJI} (one emoji drawn by Google and by Twitter, 64x64; about 130 MB from the npm registry)"]
    parser = command_parser("download", __doc__, "\n".join(lists))
    parser.add_argument("name", metavar="NAME", help="the data set, see the lists below")
    parser.add_argument("--to", type=Path, default=Path("datasets"), help="folder that gets NAME/")
    parser.add_argument(
        "--family",
        choices=list(SETS),
        help="facades and maps are in both: pix2pix (the default) has pairs side by side in train/val/test, "
        "cyclegan has trainA/trainB/testA/testB",
    )
    parser.add_argument(
        "--base_url",
        help=f"a mirror; default: {BASE_URL}, for {EMOJI} the registry in NPM_CONFIG_REGISTRY or npm's own",
    )
    parser.add_argument("--sha256", help="refuse an archive with another SHA-256")
    args = parser.parse_args(argv)

    def work() -> None:
        if args.name == EMOJI:
            if args.family or args.sha256:
                raise UserError("emoji has no family and its checksums are known; leave out --family and --sha256")
            folder = make_emoji(args.to, registry=(args.base_url or registry()).rstrip("/"))
        else:
            url, checksum = args.base_url or BASE_URL, sha256(args.sha256)
            folder = download(args.name, args.to, family=args.family, base_url=url, checksum=checksum)
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
        counts = ", ".join(f"{path.name} {len(images_below(path))}" for path in inside)
        print(f"{folder} is ready; images: {counts}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
