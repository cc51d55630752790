"""Which images of a folder are translations: those with the label that ``test.py`` gives to what imitates a side."""

import re

from inference.evaluating.images import Images
from options.errors import UserError

OF_TEST = re.compile(r"_((?:real|fake|rec|idt)(?:_[AB])?(?:_rgb)?)$")
FAKES = ("fake_B", "fake_B_rgb", "fake")  # fake_B imitates the target, whichever side of the disk that is
BACK = "fake_A"  # of a CycleGAN: the generator for the way back


def find_label(made: Images, real: Images, wanted: str, *, backwards: bool) -> str:
    """Return the label of the images that are to be compared with the real ones; none where they bear no labels.

    Args:
        wanted: what the user says; empty where nothing.
        backwards: whether the real images are A (``--direction BtoA``).

    Raises:
        UserError: there are none of that label, none that imitate the real ones, or it is not clear which do.
    """
    there, wanted = sorted({match[1] for match in map(OF_TEST.search, made.names) if match}), wanted.lstrip("_")
    if wanted:
        if not any(name.endswith(f"_{wanted}") for name in made.names):
            known = f"there are {', '.join(there)}" if there else "leave --label out, or name another ending"
            raise UserError(f"no name of an image in {made.root} ends in _{wanted}; {known}")
        return wanted
    if BACK in there and FAKES[0] in there:
        return _of_two(made, real, backwards=backwards)
    fakes = (BACK, *FAKES) if backwards else FAKES
    found = next((label for label in fakes if label in there), "")
    if there and not found:
        target = real.side if real.dataset.has_target else "the real images"
        raise UserError(
            f"{made.root} holds results of test.py ({', '.join(there)}), but none of them imitates {target}; "
            f"name those to measure, as with --label {there[0]}"
        )
    return found


def named(made: Images, label: str) -> dict[str, int]:
    """Return the places of the images with a label, by their names without it.

    Raises:
        UserError: two have the same name.
    """
    ending = f"_{label}" if label else ""
    return {name.removesuffix(ending): made.place(name) for name in made.names if name.endswith(ending)}


def _of_two(made: Images, real: Images, *, backwards: bool) -> str:
    """Choose between a CycleGAN's generators: results of both are named after what the first one translates.

    So where these names are those of the real images, the other generator imitates them: a run that was trained from B
    to A is measured right without a word about it.
    """
    names = [name.removesuffix(f"_{FAKES[0]}") for name in made.names if name.endswith(f"_{FAKES[0]}")]
    forward, back = (sum(name in side for name in names) for side in (real.sources, real))
    if not real.dataset.has_target and (back > 0) != backwards:  # nothing is known of the other side
        raise UserError(
            f"{made.root} holds {BACK} and {FAKES[0]}, and it is not clear which of them imitates the real images; say "
            f"it with --label {FAKES[0]} or --label {BACK}"
        )
    if real.dataset.has_target and forward != back:
        return FAKES[0] if forward > back else BACK
    return BACK if backwards else FAKES[0]
