"""ONNX Runtime for browsers comes from a registry once, verified, and is kept."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.export import runtime_files as module
from inference.export.runtime_files import cache, runtime_files
from options.errors import DamagedError, UserError
from tests.serving import Mirror, serving, tarred
from util.npm_package import Package

PLACE = "/ort/-/ort-1.0.tgz"
FILES = {"package/dist/ort.mjs": b"script", "package/dist/ort.wasm": b"program", "package/../../evil": b"evil"}
ARCHIVE = tarred(FILES)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    pytest.importorskip("requests")
    checksum = base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
    names = {"dist/ort.mjs": "onnxruntime.js", "dist/ort.wasm": "onnxruntime.wasm"}
    monkeypatch.setattr(module, "PACKAGE", Package("ort", "1.0", checksum, names))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving() as server:
        server.files[PLACE] = ARCHIVE
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{server.url}/")
        yield server


def test_they_are_downloaded_once(registry: Mirror, tmp_path: Path) -> None:
    wanted = {"onnxruntime.js": b"script", "onnxruntime.wasm": b"program"}
    assert runtime_files() == wanted
    assert runtime_files() == wanted
    assert registry.asked == [PLACE]
    assert cache() == tmp_path / "cache" / "ort-1.0"
    assert {path.name for path in cache().iterdir()} == wanted.keys()


def test_another_archive_and_none_are_one_sentence(registry: Mirror) -> None:
    registry.files[PLACE] = ARCHIVE[:-1] + b"x"
    with pytest.raises(DamagedError, match=r"ort-1\.0\.tgz is not the archive that was published, so nothing of it"):
        runtime_files()
    assert not cache().exists()
    registry.files.clear()
    with pytest.raises(UserError, match="cannot be downloaded .status 404.; NPM_CONFIG_REGISTRY names another") as told:
        runtime_files()
    assert f"or copy onnxruntime.js and onnxruntime.wasm to {cache()} from a machine that has them" in str(told.value)
