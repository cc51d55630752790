"""The browser files, from a registry of this machine."""

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from options.errors import DamagedError, UserError
from util.dashboard import browser_files
from util.dashboard.__main__ import main
from util.dashboard.browser_files import copy_from, fetch, missing
from util.npm_package import Package, registry


def archive(files: dict[str, bytes]) -> bytes:
    """Pack as npm does: everything in a folder named ``package``, next to files that nobody asked for."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in {**files, "../../evil.js": b"evil", "package.json": b"{}"}.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVES = {
    "one": archive({"dist/one.js": b"one"}),
    "two": archive({"two.css": b"two", "font.woff": b"font"}),
}
CONTENTS = {"js/one.js": b"one", "css/two-styles.css": b"two", "fonts/font.woff": b"font"}


def package(name: str, files: dict[str, str]) -> Package:
    return Package(name, "1.0", base64.b64encode(hashlib.sha512(ARCHIVES[name]).digest()).decode(), files)


class Registry(ThreadingHTTPServer):
    """Serves the archives, or what a test puts in their place."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.archives = {f"/{name}/-/{name}-1.0.tgz": content for name, content in ARCHIVES.items()}
        self.asked: list[str] = []
        self.cut = 0  # bytes that never come

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.archives.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write((content or b"")[: len(content or b"") - self.server.cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that takes the place of visdom's."""
    folder = tmp_path / "static"
    monkeypatch.setattr(browser_files, "static_folder", lambda: folder)
    first = package("one", {"dist/one.js": "js/one.js"})
    second = package("two", {"two.css": "css/two-styles.css", "font.woff": "fonts/font.woff"})
    monkeypatch.setattr(browser_files, "PACKAGES", (first, second))
    return folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry on this machine that has everything."""
    with Registry() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{server.url}/")
        yield server
        server.shutdown()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_missing_is_downloaded(static: Path, served: Registry) -> None:
    assert missing() == list(CONTENTS)
    assert fetch() == list(CONTENTS)
    assert files_in(static.parent) == {f"static/{name}": content for name, content in CONTENTS.items()}
    assert missing() == []


def test_what_is_there_is_neither_downloaded_nor_changed(static: Path, served: Registry) -> None:
    for name in ("js/one.js", "fonts/font.woff"):
        (static / name).parent.mkdir(parents=True)
        (static / name).write_bytes(b"mine")
    assert fetch() == ["css/two-styles.css"]
    assert served.asked == ["/two/-/two-1.0.tgz"]
    assert files_in(static) == {"js/one.js": b"mine", "css/two-styles.css": b"two", "fonts/font.woff": b"mine"}


def test_an_archive_that_was_not_published_installs_nothing(static: Path, served: Registry) -> None:
    served.archives["/two/-/two-1.0.tgz"] = archive({"two.css": b"evil", "font.woff": b"evil"})
    with pytest.raises(DamagedError, match=r"two-1\.0\.tgz is not the archive that was published"):
        fetch()
    assert not static.exists()


@pytest.mark.parametrize("cut", [1, 100])
def test_a_download_that_breaks_off_installs_nothing(static: Path, served: Registry, cut: int) -> None:
    served.cut = cut
    with pytest.raises(UserError, match="python -m util.dashboard files --from FOLDER"):
        fetch()
    assert not static.exists()


def test_a_registry_without_the_package_is_named(static: Path, served: Registry) -> None:
    del served.archives["/two/-/two-1.0.tgz"]
    with pytest.raises(UserError, match=rf"{served.url}/two/-/two-1.0.tgz cannot be downloaded \(status 404\)"):
        fetch()
    assert not static.exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "no address at all", "ftp://127.0.0.1"])
def test_a_registry_out_of_reach_is_one_sentence(
    static: Path, free_port: int, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", address.format(port=free_port))
    with pytest.raises(UserError, match="cannot be downloaded .*type: python -m util.dashboard files"):
        fetch()


def test_the_registry_is_that_of_npm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    assert registry() == "https://registry.npmjs.org"
    monkeypatch.setenv("npm_config_registry", "https://mirror.example/npm/")
    assert registry() == "https://mirror.example/npm"


def test_an_interrupted_write_leaves_no_file(static: Path, served: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UserError, match=rf"cannot be written to {static} \(No space left on device\)"):
        fetch()
    assert files_in(static) == {}


@pytest.mark.parametrize("flat", [False, True])
def test_a_folder_of_another_machine_will_do(static: Path, tmp_path: Path, flat: bool) -> None:
    source = tmp_path / "usb"
    for name, content in CONTENTS.items():
        path = source / (Path(name).name if flat else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert copy_from(source) == list(CONTENTS)
    assert files_in(static) == CONTENTS


def test_a_folder_that_lacks_files_copies_nothing_and_says_which(static: Path, tmp_path: Path) -> None:
    (tmp_path / "one.js").write_bytes(b"one")
    with pytest.raises(UserError, match=r"lacks css/two-styles\.css, fonts/font\.woff; name visdom's folder 'static'"):
        copy_from(tmp_path)
    assert not static.exists()


def test_the_command_says_in_one_line_what_it_did(
    static: Path, served: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["files"]) == 0
    assert main(["files"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"3 of 3 browser files were missing and are now in {static}"
    assert second == "all 3 browser files are there"


def test_the_table_is_one_of_whole_packages() -> None:
    destinations = browser_files.names()
    assert len(set(destinations)) == len(destinations)
    assert len({Path(name).name for name in destinations}) == len(destinations)  # or a flat folder is ambiguous
    assert all(len(base64.b64decode(package.sha512)) == 64 for package in browser_files.PACKAGES)
