"""Translate a data set with a trained run, and show the images on a page.

python test.py --name horse2zebra --dataroot ./datasets/horse2zebra
python test.py --name horse2zebra --dataroot ./images --model test
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from data.loader import Loader
from data.registry import create_dataset
from data.result_kinds import kinds_of
from inference.evaluating import METRICS_JSON, RunEvaluation
from models.registry import create_model
from models.trained_run import load_networks, stored_options
from models.translating import translated
from options.cli import parse_test
from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from util.checkpoint import prefix_of
from util.distributed import World, session
from util.progress import Progress
from util.results import ResultPage, result_folder
from util.run import entry_point, log, record_options, speak
from util.run_folder import run_folder
from util.sinks import Recorder
from util.sinks.wandb import WandbSink


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and translate; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("test.py"):
        opt = parse_test(argv, stored=stored_options)
        speak(quiet=opt.run.quiet)
        with session(opt.run) as world:
            translate(opt, world)


@torch.no_grad()
def translate(opt: Options, world: World) -> None:
    """Translate every image of the data set and write images and page."""
    if world.size > 1:
        raise UserError(f"test.py works in one process, not {world.size}; start it without torchrun")
    limit = min(opt.data.max_dataset_size, opt.result.num_test)
    dataset = create_dataset(replace(opt, data=replace(opt.data, max_dataset_size=limit)))
    loader = Loader(dataset, opt.data, world)
    model = create_model(opt).place(world.device)
    prefix = prefix_of(opt.run.epoch, opt.run.load_iter)
    load_networks(model, run_folder(opt), prefix, averaged=opt.result.ema > 0)
    model.train(not opt.result.eval)  # the official default: batch norm and dropout as in training
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
        evaluated = measured.result()
        log.info("%s", evaluated.table())
        log.info("written: %s", ", ".join(map(str, evaluated.save(page.folder / METRICS_JSON))))


if __name__ == "__main__":
    main()
