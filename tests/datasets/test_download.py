"""Fetching and unpacking, against a small server on this machine."""

import io
import re
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from datasets.download import main


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Mirror(ThreadingHTTPServer):
    """Serves ``files``; ``resumes`` obeys Range, ``cut_after`` breaks off once after so many bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.resumes = True
        self.cut_after: int | None = None
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self):
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.server.resumes else 0
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop, self.server.cut_after = self.server.cut_after, None
        self.wfile.write(content[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror():
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


ZIP, TAR = "/cyclegan/datasets/{}.zip", "/pix2pix/datasets/{}.tar.gz"


def fetch(mirror, folder, name, *more):
    return main([name, "--to", str(folder), "--base_url", mirror.url, *more])


def test_a_zip_of_the_cyclegan_family_is_unpacked(mirror, tmp_path, capsys):
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"a", "mini/testB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]
    assert "testB, trainA" in capsys.readouterr().out


def test_names_of_both_families_default_to_pix2pix(mirror, tmp_path):
    mirror.files[TAR.format("facades")] = tarred({"facades/train/1.jpg": b"pair"})
    mirror.files[ZIP.format("facades")] = zipped({"facades/trainA/1.jpg": b"a"})
    assert fetch(mirror, tmp_path / "one", "facades") == 0
    assert fetch(mirror, tmp_path / "two", "facades", "--family", "cyclegan") == 0
    assert (tmp_path / "one" / "facades" / "train" / "1.jpg").exists()
    assert (tmp_path / "two" / "facades" / "trainA" / "1.jpg").exists()


def test_an_archive_without_a_top_folder_gets_one(mirror, tmp_path):
    mirror.files[ZIP.format("mini")] = zipped({"trainA/1.jpg": b"a", "trainB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainB" / "1.jpg").exists()


@pytest.mark.parametrize("resumes", [True, False])
def test_an_interrupted_download_goes_on(mirror, tmp_path, capsys, resumes):
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": bytes(range(256)) * 40})
    mirror.cut_after, mirror.resumes = 5000, resumes
    assert fetch(mirror, tmp_path, "mini") == 2
    assert "run the command again" in capsys.readouterr().err
    assert not (tmp_path / "mini").exists()
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [None, "bytes=5000-"]
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == bytes(range(256)) * 40


def test_a_download_that_was_whole_is_not_fetched_twice(mirror, tmp_path):
    content = zipped({"mini/trainA/1.jpg": b"a"})
    mirror.files[ZIP.format("mini")] = content
    (tmp_path / ".cyclegan-mini.zip.partial").write_bytes(content)
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [f"bytes={len(content)}-"]


@pytest.mark.parametrize("name", ["../evil.txt", "mini/../../evil.txt", "/evil.txt", "mini\\..\\..\\evil.txt"])
def test_a_zip_that_reaches_outside_is_refused(mirror, tmp_path, capsys, name):
    mirror.files[ZIP.format("mini")] = zipped({"mini/1.jpg": b"a", name: b"evil"})
    assert fetch(mirror, tmp_path / "to", "mini") == 2
    assert "outside its folder" in capsys.readouterr().err
    assert not any((tmp_path / "to").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_a_tar_that_reaches_outside_is_refused(mirror, tmp_path, capsys):
    mirror.files[TAR.format("maps")] = tarred({"maps/1.jpg": b"a", "../../evil.txt": b"evil"})
    assert fetch(mirror, tmp_path / "to", "maps") == 2
    assert "outside its folder" in capsys.readouterr().err
    assert not any((tmp_path / "to").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


@pytest.mark.parametrize(("name", "path"), [("mini", ZIP), ("maps", TAR)])
def test_a_damaged_archive_leaves_nothing_behind(mirror, tmp_path, capsys, name, path):
    mirror.files[path.format(name)] = b"<html>not an archive</html>"
    assert fetch(mirror, tmp_path, name) == 2
    assert "damaged" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_a_missing_file_is_told_with_its_address(mirror, tmp_path, capsys):
    assert fetch(mirror, tmp_path, "horse2zebra") == 2
    message = capsys.readouterr().err
    assert "/cyclegan/datasets/horse2zebra.zip answered 404" in message
    assert message.count("\n") == 1


def test_no_network_is_one_sentence(tmp_path, capsys):
    assert main(["mini", "--to", str(tmp_path), "--base_url", "http://127.0.0.1:9"]) == 2
    message = capsys.readouterr().err
    assert "check the network" in message
    assert message.count("\n") == 1


def test_an_existing_folder_is_left_alone(mirror, tmp_path, capsys):
    (tmp_path / "mini").mkdir()
    assert fetch(mirror, tmp_path, "mini") == 2
    assert "exists already" in capsys.readouterr().err
    assert mirror.ranges == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["cityscapes"], "licence"),
        (["horse2cow"], "choose one of"),
        (["horse2zebra", "--family", "pix2pix"], "not in the pix2pix family"),
        (["mini", "--base_url", "file:///etc"], "must start with http"),
    ],
)
def test_wrong_requests_are_refused_before_any_download(tmp_path, capsys, flags, words):
    assert main([*flags, "--to", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
