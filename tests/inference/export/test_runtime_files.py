"""ONNX Runtime for browsers comes from a registry once, verified, and is kept."""

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from inference.export import runtime_files as module
from inference.export.runtime_files import cache, runtime_files
from options.errors import DamagedError, UserError
from util.npm_package import Package

FILES = {"package/dist/ort.mjs": b"script", "package/dist/ort.wasm": b"program", "package/../../evil": b"evil"}


def packed() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = packed()


class Registry(ThreadingHTTPServer):
    """Serves an archive; notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content: bytes | None = ARCHIVE
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200 if self.server.content is not None else 404)
        self.end_headers()
        self.wfile.write(self.server.content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    pytest.importorskip("requests")
    checksum = base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
    names = {"dist/ort.mjs": "onnxruntime.js", "dist/ort.wasm": "onnxruntime.wasm"}
    monkeypatch.setattr(module, "PACKAGE", Package("ort", "1.0", checksum, names))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Registry() as server:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_port}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_they_are_downloaded_once(registry: Registry, tmp_path: Path) -> None:
    wanted = {"onnxruntime.js": b"script", "onnxruntime.wasm": b"program"}
    assert runtime_files() == wanted
    assert runtime_files() == wanted
    assert registry.asked == ["/ort/-/ort-1.0.tgz"]
    assert cache() == tmp_path / "cache" / "ort-1.0"
    assert {path.name for path in cache().iterdir()} == wanted.keys()


def test_another_archive_is_refused(registry: Registry) -> None:
    registry.content = ARCHIVE[:-1] + b"x"
    with pytest.raises(DamagedError, match=r"ort-1\.0\.tgz is not the archive that was published, so nothing of it"):
        runtime_files()
    assert not cache().exists()


def test_without_an_answer_a_sentence_says_what_to_do(registry: Registry) -> None:
    registry.content = None
    with pytest.raises(UserError, match="cannot be downloaded .status 404.; NPM_CONFIG_REGISTRY names another") as told:
        runtime_files()
    assert f"or copy onnxruntime.js and onnxruntime.wasm to {cache()} from a machine that has them" in str(told.value)


def test_nobody_there_is_the_same(registry: Registry) -> None:
    registry.shutdown()
    registry.server_close()
    with pytest.raises(UserError, match=r"cannot be downloaded \(ConnectionError\)"):
        runtime_files()
