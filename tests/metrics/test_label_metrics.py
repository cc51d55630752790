"""Accuracies of label maps and of segmented photos, counted by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from metrics.evaluation import Evaluation
from metrics.report import Report
from options.errors import UserError
from options.evaluation import EvaluationSettings

CPU = torch.device("cpu")
COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0), "c": (0, 0, 255), ".": (0, 0, 0)}  # . is void


@pytest.fixture
def palette(tmp_path: Path) -> str:
    file = tmp_path / "palette.txt"
    file.write_text("a 255,0,0\nb 0,255,0\nc 0,0,255\nd 255,255,0\nvoid 0,0,0\n")
    return str(file)


def drawn(*rows: str) -> Tensor:
    """A label map of letters, 1 x 3 x H x W in [0, 1]."""
    return torch.tensor([[COLOURS[letter] for letter in row] for row in rows]).permute(2, 0, 1)[None] / 255


def compared(palette: str, *pairs: tuple[Tensor, Tensor]) -> Report:
    evaluation = Evaluation(["labels"], EvaluationSettings(palette=palette), CPU)
    for index, (fake, real) in enumerate(pairs):
        evaluation.add_pairs(fake, real, [f"{index}"])
    return evaluation.report()


def test_scores_are_those_counted_by_hand(palette: str) -> None:
    # truth: a a a b | found: a a b b; truth: b b . . | found: b c a a, of which the last two do not count
    report = compared(palette, (drawn("aabb"), drawn("aaab")), (drawn("bcaa"), drawn("bb..")))
    values = {name: score.value for name, score in report.scores.items()}
    assert values == pytest.approx(
        {
            "per_pixel_accuracy": 4 / 6,
            "per_class_accuracy": (2 / 3 + 2 / 3) / 2,  # a: 2 of 3, b: 2 of 3; c and d do not occur
            "class_iou": (2 / 3 + 2 / 4) / 2,  # a: 2 of 3; b: 2 right, 3 true, 3 found
        }
    )
    assert report.per_image["labels"] == pytest.approx({"0": 3 / 4, "1": 1 / 2})
    assert report.evaluator["palette"] == "palette.txt"


def test_scores_are_those_of_scikit_image_free_numpy_on_random_maps(palette: str) -> None:
    random = np.random.RandomState(0)
    fake, real = (["".join(random.choice(list("abc"), 30)) for _ in range(20)] for _ in range(2))
    scores = compared(palette, (drawn(*fake), drawn(*real))).scores
    found, true = (np.array([list(row) for row in rows]) for rows in (fake, real))
    iou = [((found == k) & (true == k)).sum() / ((found == k) | (true == k)).sum() for k in "abc"]
    accuracy = [(found[true == k] == k).mean() for k in "abc"]
    assert scores["per_pixel_accuracy"].value == pytest.approx((found == true).mean())
    assert scores["per_class_accuracy"].value == pytest.approx(np.mean(accuracy))
    assert scores["class_iou"].value == pytest.approx(np.mean(iou))


def test_void_that_is_found_where_a_class_is_counts_as_wrong(palette: str) -> None:
    scores = compared(palette, (drawn("a."), drawn("aa"))).scores
    assert scores["per_pixel_accuracy"].value == 0.5
    assert scores["class_iou"].value == 0.5


def test_equal_maps_are_all_right_and_void_alone_has_no_score(palette: str) -> None:
    same = compared(palette, (drawn("abca", "...b"), drawn("abca", "...b")))
    assert [score.value for score in same.scores.values()] == [1, 1, 1]
    nothing = compared(palette, (drawn("ab"), drawn("..")))
    assert nothing.as_json()["scores"]["class_iou"]["value"] is None
    assert nothing.per_image["labels"] == {}


def test_maps_of_different_sizes_are_refused(palette: str) -> None:
    with pytest.raises(UserError, match="labels compares images of one size, but the translation is 2x1 .* 3x1"):
        compared(palette, (drawn("ab"), drawn("abc")))


class Colours(nn.Module):
    """A segmenter: the scores of a, b, c, d are red, green, blue and less than any, at half the size."""

    def forward(self, photos: Tensor) -> Tensor:
        small = photos[:, :, ::2, ::2]
        return torch.cat([small, small[:, :1] * 0 - 1], 1)


class Three(nn.Module):
    def forward(self, photos: Tensor) -> Tensor:
        return photos


def torchscript(network: nn.Module, path: Path) -> str:
    """Write a network for 8 x 12 pixels."""
    torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 8, 12)), str(path))  # type: ignore[no-untyped-call]
    return str(path)


def exported(network: nn.Module, path: Path) -> str:
    """Write a network for 8 x 12 pixels."""
    torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 8, 12),)), path)
    return str(path)


@pytest.fixture(params=[torchscript, exported])
def segmenter(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file of ``Colours``."""
    return str(request.param(Colours(), tmp_path / "s.pt"))


def photos() -> Tensor:
    """Two photos: the left half of the first is red and the right blue; the second is green."""
    images = torch.zeros(2, 3, 8, 12)
    images[0, 0, :, :6], images[0, 2, :, 6:], images[1, 1] = 1, 1, 1
    return images


def test_a_segmenter_finds_the_classes_of_photos(palette: str, segmenter: str) -> None:
    evaluation = Evaluation(["segmented"], EvaluationSettings(palette=palette, segmenter=segmenter), CPU)
    assert evaluation.needs == {"labelled"}
    maps = torch.cat([drawn(*["aaac"] * 4), drawn(*["bbaa"] * 4)])  # 4 x 4 against photos of 8 x 12
    evaluation.add_labelled(photos(), maps, ["first", "second"])
    report = evaluation.report()
    assert report.per_image["segmented"] == pytest.approx({"first": 0.75, "second": 0.5})
    values = {name: score.value for name, score in report.scores.items()}
    assert values == pytest.approx(
        {
            "segmented_per_pixel_accuracy": 20 / 32,
            "segmented_per_class_accuracy": (8 / 20 + 1 + 1) / 3,  # a: 8 of 20, b: 8 of 8, c: 4 of 4
            "segmented_class_iou": (8 / 20 + 8 / 16 + 4 / 8) / 3,
        }
    )
    assert report.evaluator["segmenter"]["file"] == Path(segmenter).name


def test_a_segmenter_with_other_classes_is_refused(palette: str, tmp_path: Path) -> None:
    path = torchscript(Three(), tmp_path / "three.pt")
    evaluation = Evaluation(["segmented"], EvaluationSettings(palette=palette, segmenter=path), CPU)
    with pytest.raises(UserError, match=r"returned \(1, 3, 8, 12\), but the palette has 4 classes: it must return"):
        evaluation.add_labelled(photos(), drawn(*["abab"] * 4).expand(2, -1, -1, -1), ["1", "2"])


def test_photos_that_a_segmenter_cannot_take_are_refused(palette: str, tmp_path: Path) -> None:
    path = exported(Colours(), tmp_path / "s.pt2")
    evaluation = Evaluation(["segmented"], EvaluationSettings(palette=palette, segmenter=path), CPU)
    with pytest.raises(UserError, match=r"s.pt2 cannot take \(1, 3, 16, 16\)"):
        evaluation.add_labelled(torch.zeros(1, 3, 16, 16), drawn(*["abab"] * 4), ["1"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "is no file; give a TorchScript or torch.export file"),
        (lambda path: path.write_text("text"), "is neither a TorchScript nor a torch.export file"),
        (lambda path: torch.save({}, path), "is neither a TorchScript nor a torch.export file"),
    ],
)
def test_what_is_no_segmenter_is_refused(
    palette: str, tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "s.pt"
    make(path)
    with pytest.raises(UserError, match=words):
        Evaluation(["segmented"], EvaluationSettings(palette=palette, segmenter=str(path)), CPU)


def test_without_a_segmenter_the_flag_is_named(palette: str) -> None:
    with pytest.raises(UserError, match="segmented needs --segmenter"):
        Evaluation(["segmented"], EvaluationSettings(palette=palette), CPU)
