"""``web/index.html`` after a resume, and on a disk that fails: all that is there is shown, and once."""

import os
import shutil
from pathlib import Path

import pytest

from tests.util.sinks.events import images, samples, scalars
from tests.util.sinks.html_pages import LABELS, epoch, open_sink, read, shown, train


class TestResume:
    def test_in_mid_epoch_that_epoch_is_there_once(self, web: Path) -> None:
        train(web, 1, 2, 3)
        train(web, 3, 4, last_epoch=3)
        assert shown(web) == [*epoch(4), *epoch(3), *epoch(2), *epoch(1)]

    def test_epochs_of_an_older_run_are_left_out_until_they_are_trained_again(self, web: Path) -> None:
        train(web, 1, 2, 3, 4, 5)
        sink = train(web, 3, last_epoch=2)
        assert shown(web) == [*epoch(3), *epoch(2), *epoch(1)]
        sink.images(images(5))
        assert shown(web) == [*epoch(5, sheet=False), *epoch(3), *epoch(2), *epoch(1)]

    def test_a_new_run_shows_nothing_of_an_older_one(self, web: Path) -> None:
        train(web, 1, 2, 3)
        open_sink(web, last_epoch=0).images(images(1, labels=("real_B",)))
        assert shown(web) == epoch(1, "real_B", sheet=False)

    def test_that_is_not_told_where_it_is_takes_that_from_the_first_images(self, web: Path) -> None:
        train(web, 1, 2, 3, 4)
        train(web, 2)
        assert shown(web) == [*epoch(2), *epoch(1)]

    def test_that_ends_before_it_shows_images_leaves_a_whole_page(self, web: Path) -> None:
        train(web, 1, 2, 3)
        open_sink(web, scalars(8), last_epoch=2).close()
        assert set(shown(web)) == {*epoch(2), *epoch(1)}

    def test_only_files_that_exist_and_are_images_are_listed(self, web: Path) -> None:
        train(web, 3, 4, 5)
        (web / "images" / "epoch003_real_A.png").unlink()
        (web / "images" / "epoch004_samples.jpg").write_text("no image")
        for label in LABELS:
            (web / "images" / f"epoch005_{label}.png").unlink()
        train(web, 7, last_epoch=6)
        left_of_5 = ["epoch 5", "images/epoch005_samples.jpg"]
        assert shown(web) == [*epoch(7), *left_of_5, *epoch(4, sheet=False), *epoch(3, "fake_B")]

    def test_after_a_kill_between_images_and_sheet_both_are_there(self, web: Path) -> None:
        train(web, 1).images(images(2))
        sink = open_sink(web, last_epoch=2)
        sink.samples(samples(2))
        assert sorted(shown(web)[:4]) == sorted(epoch(2))
        assert shown(web)[0] == "epoch 2"


class TestTrouble:
    def test_a_full_disk_warns_once_and_what_is_not_there_is_not_listed(
        self, web: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        sink = train(web, 1)
        with monkeypatch.context() as patch:
            patch.setattr("util.sinks.html.save_image", full)
            sink.images(images(2))
            sink.images(images(3))
        assert len(caplog.messages) == 1
        assert "No space left" in caplog.text
        assert shown(web) == epoch(1)
        sink.images(images(3))
        assert shown(web) == [*epoch(3, sheet=False), *epoch(1)]

    def test_images_that_were_refused_are_listed_when_they_are_there(self, web: Path) -> None:
        sink = train(web, 1)
        (web / "images" / "epoch002_fake_B.png").mkdir()  # takes the place of the second image
        sink.images(images(2))
        sink.samples(samples(2))
        assert shown(web)[:3] == epoch(2, "real_A")
        (web / "images" / "epoch002_fake_B.png").rmdir()
        sink.images(images(2))
        assert sorted(shown(web)[:4]) == sorted(epoch(2))

    def test_a_page_that_could_not_be_begun_is_begun_later(self, web: Path) -> None:
        web.mkdir()
        (web / "index.html").mkdir()  # takes its place
        sink = train(web, 1)
        (web / "index.html").rmdir()
        sink.images(images(2))
        assert shown(web) == [*epoch(2, sheet=False), *epoch(1)]

    def test_a_page_that_could_not_be_begun_again_is_still_that_page(
        self, web: Path, monkeypatch: pytest.MonkeyPatch, clock: list[float]
    ) -> None:
        replace = os.replace

        def refuse(source: Path, target: Path) -> None:
            if target.name == "index.html":
                raise OSError(28, "No space left on device")
            replace(source, target)

        sink = train(web, 1)
        clock[0] += 6
        with monkeypatch.context() as patch:
            patch.setattr("os.replace", refuse)
            sink.scalars(scalars(5))  # the first curves
            sink.images(images(1))
            assert shown(web) == epoch(1)
        sink.images(images(1))
        assert shown(web) == epoch(1)
        assert "GAN_losses.svg" in read(web).sources

    def test_a_page_that_was_deleted_comes_back_whole(self, web: Path) -> None:
        sink = train(web, 1, 2)
        (web / "index.html").unlink()
        sink.images(images(3))
        assert shown(web) == [*epoch(3, sheet=False), *epoch(2), *epoch(1)]
        shutil.rmtree(web)
        sink.images(images(4))
        assert shown(web) == epoch(4, sheet=False)
