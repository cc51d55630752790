"""The command line: flags to typed settings.

Two passes. The first finds the model, the data set and the run; the second is strict and knows the
shared flags plus those two's own. Precedence, weakest first: field default, data set default, model
default, preset, the run's stored options (test and resume), command line. Nothing here touches a disk or a
device: the caller passes functions that read the stored options.
"""

import dataclasses
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from data.registry import DATASETS
from models.registry import MODELS
from options.arguments import FlagParser, asks_for_help
from options.cli.checks import check, refuse_other_preset, refuse_unknown
from options.cli.preset import LIST, listing, shown
from options.cli.resolving import Resolved, Values, preset_named, resolve
from options.errors import UserError
from options.schema import TEST_TABLES, TRAIN_TABLES, Options
from options.taken_over import changes, refuse_other_networks, relevant

log = logging.getLogger(__name__)

FROM_THE_NEWEST: Mapping[str, Any] = {"overwrite": False, "epoch": "latest", "load_iter": 0, "continue_train": True}
ABOUT_TRAIN = (
    "Learns to translate images between two domains: cycle_gan from two folders without pairs (FOLDER/trainA and "
    "trainB), pix2pix from pairs side by side (FOLDER/train). The run goes to CHECKPOINTS_DIR/NAME, a dashboard shows "
    "how it gets on; stopped, it goes on with --continue_train. Then try it: python test.py --name NAME."
)
ABOUT_TEST = (
    "Translates the images of a data set with a trained run and shows them on a web page. The model, its networks and "
    "how images are read come from the run; what is typed wins. A plain folder: --model test --dataroot FOLDER. For "
    "single files and videos there is translate.py, for numbers evaluate.py."
)
StoredReader = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def parse_train(
    argv: Sequence[str] | None = None,
    stored: StoredReader = lambda run: {},
    source: StoredReader = lambda run: {},
    again: Callable[[Values], bool] = lambda run: False,
) -> Options:
    """Parse the flags of ``train.py``; on an error print usage and one sentence, exit with 2.

    ``--preset list`` prints the recipes instead and exits with 0.

    Args:
        argv: words after the program's name; None takes the process's own.
        stored: given the values that name a run, returns the options stored in it. Called only with
            ``--continue_train`` and ``--resume auto``; for the latter no options mean that there is no run yet.
        source: given the same, returns the flags of the networks that ``--init_from`` names.
        again: given the same, tells whether the launcher starts this command once more after a failure; then the run
            is gone on with, whatever the flags say.
    """
    return _parse(argv, stored, source, again, is_train=True, program="train.py")


def parse_test(
    argv: Sequence[str] | None = None, stored: StoredReader = lambda run: {}, *, program: str = "test.py"
) -> Options:
    """Parse the flags of ``test.py``, or of another program that takes them; ``stored`` is always asked."""
    return _parse(argv, stored, lambda run: {}, lambda run: False, is_train=False, program=program)


def _parse(
    argv: Sequence[str] | None,
    read_stored: StoredReader,
    read_source: StoredReader,
    starts_again: Callable[[Values], bool],
    *,
    is_train: bool,
    program: str,
) -> Options:
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(program, words)
    try:
        if is_train and preset_named(words) == LIST:
            sys.stdout.write(listing())
            sys.exit(0)
        if asks_for_help(words):
            resolve(parser, words, {}, is_train=is_train)  # which ends the program
        first = resolve(FlagParser(), words, {}, is_train=is_train)
        run = {"model_suffix": "", **first.values}
        again = is_train and starts_again(run)
        if again:  # what these say has been done
            run |= FROM_THE_NEWEST
        going_on = is_train and (again or first.values["continue_train"] or first.values["resume"] == "auto")
        found = read_stored(run) if going_on or not is_train else {}
        stored = relevant(found, given_model=first.given.get("model"), is_train=is_train)
        going_on = going_on and (first.values["continue_train"] or bool(found))
        if is_train and not going_on and first.values["init_from"]:
            stored = dict(read_source(run))
        final = resolve(parser, words, stored, is_train=is_train)
        refuse_unknown(final.unknown, parser.known, is_train=is_train)
        final.values["name"] = first.values["name"]  # a suffix may name an option that was stored, or of --init_from
        if going_on:
            _go_on(final, stored, again=again)
        if final.values["model"] == "test" and found.get("model") == "colorization":
            raise UserError("a colorization run is tested with --model colorization; pass that, or leave --model out")
        check(final, is_train=is_train)
        options = _build(final, is_train=is_train)
    except UserError as error:
        parser.leave(str(error))
    if final.preset and not going_on:
        log.info("%s", shown(final.preset, final.values, final.given))
    return options


def _parser(program: str, words: Sequence[str]) -> FlagParser:
    usage = f"python {program} --dataroot FOLDER --model MODEL --name RUN [flags]\n       python {program} --help"
    about = ABOUT_TRAIN if program == "train.py" else ABOUT_TEST
    names = f"Models: {', '.join(MODELS)}. Data sets: {', '.join(DATASETS)}."
    return FlagParser(program, usage, f"{about} {names}", words)


def _go_on(final: Resolved, stored: Mapping[str, Any], *, again: bool) -> None:
    """Check and show what a resume changes in the run that has these stored options."""
    refuse_other_networks(stored, final.given, final.values, final.tables, name=final.values["name"])
    refuse_other_preset(stored, final.given)
    final.values["continue_train"] = True
    if again:
        final.values.update(FROM_THE_NEWEST)
    for change in changes(stored, final.values):
        log.info("changed since the run was stopped: %s", change)


def _build(final: Resolved, *, is_train: bool) -> Options:
    """Fill the dataclasses, whose own checks refuse impossible values."""

    def fill(table: type) -> Any:
        names = [f.name for f in dataclasses.fields(table)]
        return table(**{name: final.values[name] for name in names if name in final.values})

    topics = {topic: fill(table) for topic, table in {**TRAIN_TABLES, **TEST_TABLES}.items()}
    own, dataset = fill(final.model.Flags), fill(final.dataset.Flags)
    return Options(**topics, own=own, dataset=dataset, is_train=is_train, defaults=final.defaults)
