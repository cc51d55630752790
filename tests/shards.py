"""Tiny shards: tar files of images, packed here without the code under test, and a server for them."""

import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch

from data.batch import Batch
from data.loader import Loader
from data.registry import create_dataset
from options.cli import parse_train
from tests.images import an_image, side_by_side
from util.distributed import World

CPU = torch.device("cpu")


def png(seed: int, size: tuple[int, int] = (12, 10)) -> bytes:
    buffer = io.BytesIO()
    an_image(seed, size).save(buffer, "PNG")
    return buffer.getvalue()


def whole_png(seed: int) -> bytes:
    """A left, B right."""
    buffer = io.BytesIO()
    side_by_side(an_image(seed, (12, 10)), an_image(1000 + seed, (12, 10))).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def write_shards(folder: Path, sizes: Sequence[int], *, pairs: bool = True, first: int = 0) -> Path:
    """Write shards ``0000.tar`` ... of samples s0, s1 ... and their ``sizes.json``."""
    number, table = first, {}
    for index, size in enumerate(sizes):
        members = {}
        for serial in range(number, number + size):
            if pairs:
                members |= {f"s{serial}.a.png": png(serial), f"s{serial}.b.png": png(1000 + serial)}
            else:
                members[f"s{serial}.png"] = png(serial)
        number += size
        table[f"{index:04d}.tar"] = size
        write_tar(folder / f"{index:04d}.tar", members)
    (folder / "sizes.json").write_text(json.dumps(table))
    return folder


def loader(root: object, words: str = "", *, rank: int = 0, size: int = 1) -> Loader:
    argv = f"--dataset_mode webdataset --load_size 10 --crop_size 8 --num_threads 0 {words}".split()
    opt = parse_train(["--dataroot", str(root), *argv])
    return Loader(create_dataset(opt), opt.data, World(rank, size, CPU))


def names(batches: Sequence[Batch], side: str = "A") -> list[str]:
    """Names of the samples: s0, s1 ..."""
    paths = [path for batch in batches for path in (batch.A_paths if side == "A" else batch.B_paths)]
    return [path.rpartition("/")[2].partition(".")[0] for path in paths]


class Server:
    """Serves a folder; ``cut`` says how many of the next answers break off in the middle."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.asked: list[str] = []
        self.cut = 0


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path[1:])
            path = folder / self.path[1:]
            content = path.read_bytes() if path.is_file() else b""
            self.send_response(200 if content else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            broken = bool(server.cut) and self.path.endswith(".tar")
            server.cut -= broken
            with suppress(OSError):  # the reader has what it wants
                self.wfile.write(content[: len(content) // 2] if broken else content)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(folder, f"http://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
