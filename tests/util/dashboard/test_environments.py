import copy
import json
from pathlib import Path

import pytest

from util.dashboard.environments import Environment, save, save_all

WHOLE = {"jsons": {"1": {"title": "curves"}}, "reload": {"1": {"x": 2}}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(WHOLE))
    return path


def test_it_is_read_at_the_first_look(saved: Path) -> None:
    environment = Environment(str(saved))
    assert environment.untouched
    assert "jsons" in environment
    assert not environment.untouched
    assert dict(environment) == WHOLE
    environment["reload"] = {}
    assert dict(environment) == WHOLE | {"reload": {}}


@pytest.mark.parametrize("text", ['{"jsons": {"1": {"ti', "null", "", "[]", '{"jsons": null, "reload": {}}', "\x00"])
def test_a_damaged_one_is_set_aside_and_starts_empty(saved: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    saved.write_text(text)
    assert dict(Environment(str(saved))) == {"jsons": {}, "reload": {}}
    assert not saved.exists()
    assert saved.with_suffix(".damaged").read_text() == text
    assert len(caplog.messages) == 1
    assert "is damaged" in caplog.text


def test_one_whose_file_is_gone_starts_empty(tmp_path: Path) -> None:
    assert dict(Environment(str(tmp_path / "gone.json"))) == {"jsons": {}, "reload": {}}


def test_saving_all_leaves_alone_what_nobody_looked_at(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved.write_text("whatever")
    state = {"run": Environment(str(saved)), "new": WHOLE, "a/b": {"jsons": {}, "reload": {}}}
    assert save_all(state, str(saved.parent)) == 1
    assert saved.read_text() == "whatever"
    assert json.loads((saved.parent / "new.json").read_text()) == WHOLE
    assert caplog.messages == []
    assert sorted(path.name for path in saved.parent.iterdir()) == ["new.json", "run.json"]


def test_saving_one_that_nobody_looked_at_copies_it(saved: Path) -> None:
    state = {"fork": copy.deepcopy(Environment(str(saved)))}
    assert save(state, ["fork", "unknown"], str(saved.parent)) == ["fork"]
    assert json.loads((saved.parent / "fork.json").read_text()) == WHOLE


def test_an_interrupted_save_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="No space"):
        save({"run": {"jsons": {}, "reload": {}}}, ["run"], str(saved.parent))
    assert json.loads(saved.read_text()) == WHOLE
    assert list(saved.parent.iterdir()) == [saved]


def test_what_cannot_be_saved_is_said_and_the_others_are_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert save_all({"x" * 300: WHOLE, "nul\0": WHOLE, "good": WHOLE}, str(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["good.json"]
    assert len(caplog.messages) == 2
