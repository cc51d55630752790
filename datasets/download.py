"""Fetch and unpack the data sets published with CycleGAN and pix2pix.

An interrupted download goes on where it stopped when the command is repeated.
"""

import argparse
import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from datasets.archive import unpack
from datasets.command import make_folder, run_command
from options.errors import UserError

BASE_URL = "http://efrosgans.eecs.berkeley.edu"
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
CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30


def choose_family(name: str, family: str | None) -> str:
    """Give the family a set is fetched from; a name in both families defaults to pix2pix (paired).

    Raises:
        UserError: for unknown names, and for cityscapes, whose licence forbids redistribution.
    """
    if name == "cityscapes":
        raise UserError(
            "cityscapes cannot be downloaded here because its licence forbids redistribution; get it from "
            "https://www.cityscapes-dataset.com and join the pairs with combine_A_and_B"
        )
    families = [known for known, names in SETS.items() if name in names]
    if not families:
        every = ", ".join(sorted({*SETS["pix2pix"], *SETS["cyclegan"]}))
        raise UserError(f"there is no data set {name!r}; choose one of {every}")
    if family and family not in families:
        raise UserError(f"{name} is not in the {family} family; pass --family {families[0]} or leave it out")
    return family or families[0]


def _request(url: str, have_bytes: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "dataset-download", "Accept-Encoding": "identity"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    response: http.client.HTTPResponse = urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S
    )
    return response


def _receive(url: str, partial: Path) -> None:
    """Append to ``partial`` what it lacks; start again where the server cannot resume."""
    have = partial.stat().st_size if partial.exists() else 0
    try:
        response = _request(url, have)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return  # all of it was there already
        have = 0
        response = _request(url, have)
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with (
            partial.open("ab" if resumed else "wb") as file,
            tqdm(total=total, initial=have, desc=partial.name, disable=None, unit="B", unit_scale=True) as bar,
        ):
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and partial.stat().st_size < total:
        raise UserError(f"the connection broke off while fetching {url}; run the command again to resume")


def fetch(url: str, archive: Path) -> None:
    """Download ``url`` to ``archive``, which appears only when it is whole.

    Raises:
        UserError: when the server is out of reach, refuses, or breaks off.
    """
    partial = archive.with_name(archive.name + ".partial")
    try:
        _receive(url, partial)
        partial.replace(archive)
    except urllib.error.HTTPError as error:
        raise UserError(f"{url} answered {error.code} ({error.reason}); check --base_url or try later") from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise UserError(
            f"cannot fetch {url} ({reason}); check the network, then run the command again to go on"
        ) from error


def download(name: str, to: Path, *, family: str | None, base_url: str) -> Path:
    """Fetch and unpack one data set and give its folder.

    Raises:
        UserError: for everything that stops it; what was there before is left alone.
    """
    chosen = choose_family(name, family)
    if not base_url.startswith(("http://", "https://")):
        raise UserError(f"--base_url {base_url} must start with http:// or https://")
    target = to / name
    if target.exists():
        raise UserError(f"{target} exists already; remove it or choose another folder with --to")
    make_folder(to)
    archive = to / f".{chosen}-{name}{ENDINGS[chosen]}"
    try:
        if not archive.exists():
            fetch(f"{base_url.rstrip('/')}/{chosen}/datasets/{name}{ENDINGS[chosen]}", archive)
        try:
            unpack(archive, target)
        except UserError:  # damaged: the next attempt must fetch it again
            archive.unlink()
            raise
        archive.unlink()
    except OSError as error:
        raise UserError(f"cannot write to {to} ({error.strerror}); free some space or choose --to") from error
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = argparse.ArgumentParser(
        prog="download",
        description=__doc__,
        epilog="\n".join(f"{family}: {', '.join(names)}" for family, names in SETS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="the data set, see the lists below")
    parser.add_argument("--to", type=Path, default=Path("datasets"), help="folder that gets NAME/")
    parser.add_argument(
        "--family",
        choices=list(SETS),
        help="facades and maps are in both: pix2pix (the default) has pairs side by side in train/val/test, "
        "cyclegan has trainA/trainB/testA/testB",
    )
    parser.add_argument("--base_url", default=BASE_URL, help="a mirror, default: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        folder = download(args.name, args.to, family=args.family, base_url=args.base_url)
        inside = ", ".join(sorted(path.name for path in folder.iterdir()))
        print(f"{folder} is ready ({inside})")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
