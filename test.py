"""Translate a data set with a trained run, and show the images on a page.

python test.py --name horse2zebra --dataroot ./datasets/horse2zebra
python test.py --name horse2zebra --dataroot ./images --model test
"""

from collections.abc import Sequence

import torch

from data.result_kinds import kinds_of
from inference.evaluating import METRICS_JSON, RunEvaluation
from models.trained_run import stored_options
from models.translating import open_test, translated
from options.cli import parse_test
from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from util.distributed import World, session
from util.progress import Progress
from util.results import ResultPage, result_folder
from util.run import entry_point, log, record_options, refuse_several, speak
from util.sinks.recorder import Recorder
from util.sinks.wandb import WandbSink


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and translate; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("test.py"):
        refuse_several("test.py")
        opt = parse_test(argv, stored=stored_options)
        speak(quiet=opt.run.quiet)
        with session(opt.run) as world:
            translate(opt, world)


@torch.no_grad()
def translate(opt: Options, world: World) -> None:
    """Translate every image of the data set and write images and page."""
    dataset, loader, model = open_test(opt, world)
    measured = RunEvaluation(opt, model, dataset, world.device) if opt.result.metrics else None
    record_options(opt, world)

    project, name = opt.run.wandb_project_name, opt.run.name
    trackers = [WandbSink(project=project, name=name, options=flatten(opt))] if opt.run.use_wandb else []
    page, progress = ResultPage(result_folder(opt), opt), Progress(epoch_size=loader.epoch_size)
    with Recorder(trackers, world) as recorder:
        for batch, out in translated(model, loader.epoch(progress.epoch)):
            if progress.images_seen % 5 == 0:
                log.info("processing (%04d)-th image... %s", progress.images_seen, list(batch.A_paths))
            visuals = model.visuals(out)
            page.add([dataset.relative_name(path) for path in batch.A_paths], visuals, kinds_of(batch, dataset))
            recorder.images(progress, visuals)
            if measured:
                measured.add(batch, out)
            progress.advance(batch.size)
    if not progress.images_seen:
        raise UserError("none of the images could be translated; the messages above say why")
    log.info("%d images translated; the page: %s", progress.images_seen, page.save())
    if measured:
        measured.result().report(page.folder / METRICS_JSON)


if __name__ == "__main__":
    main()
