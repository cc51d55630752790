"""Train a translation between two image domains.

python train.py --model cycle_gan --dataroot ./datasets/horse2zebra
python train.py --model pix2pix   --dataroot ./datasets/facades --direction BtoA
"""

import time
from collections.abc import Sequence

import torch

from data.loader import Loader
from data.quick_check import looked_over
from data.registry import create_dataset
from models.init_from import source_options
from models.registry import create_model
from models.samples import load_samples
from models.schedule import is_over
from models.start import has_saved_before, started
from models.stepper import Stepper
from models.trained_run import stored_options
from models.training import Training
from models.validation import Validation, is_wanted
from options.cli import parse_train
from options.schema import Options
from util.distributed import World, session
from util.progress import Progress, Stopwatch
from util.run import entry_point, log, speak
from util.run_folder import run_folder
from util.sinks import Recorder
from util.sinks.build import build_sinks
from util.step_trace import StepTrace


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and train; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("train.py"):
        opt = parse_train(argv, stored=stored_options, source=source_options, again=has_saved_before)
        speak(quiet=opt.run.quiet)
        with session(opt.run, timeout=opt.start.timeout) as world:
            train(opt, world)


def train(opt: Options, world: World) -> None:
    """Train from the first epoch, or from where the run stopped, to the last."""
    torch.backends.cudnn.benchmark = opt.data.fixed_size and not opt.run.deterministic
    loader = Loader(looked_over(create_dataset(opt), world), opt.data, world)
    model = create_model(opt).place(world.device)
    validation = Validation(opt, model, world) if is_wanted(opt) else None
    samples = load_samples(opt, model, world.device)
    stepper = Stepper(model, opt.optim, world, seed=opt.run.seed)
    progress = Progress(epoch=opt.start.epoch_count, epoch_size=loader.epoch_size)

    with started(Training(opt, model, stepper, progress)) as saver:
        if validation:
            validation.take_up(progress)
        sinks = build_sinks(opt, progress) if world.is_main else []
        trace = StepTrace(run_folder(opt) if opt.log.profile and world.is_main else None)
        watch = Stopwatch()
        with Recorder(sinks, world) as recorder, saver.guarding() as stop:
            while not is_over(opt.optim, progress, opt.val.patience):
                start = time.perf_counter()
                rate = stepper.set_learning_rate(progress)
                for batch in watch.waits(loader.epoch(progress.epoch, progress.seen_in_epoch)):
                    with trace.of(world.device):
                        out, losses, accuracies = stepper.step(batch, progress)
                    progress.advance(images := batch.in_all)
                    recorder.step(progress, images)
                    watch.count(images)

                    at_end = progress.at_end(opt.optim.last_epoch)
                    if progress.crossed(opt.log.print_freq, images) or at_end:
                        recorder.scalars(progress, losses, accuracies, learning_rate=rate, lap=watch.lap())
                        stepper.check_losses()
                    if progress.crossed(opt.log.display_freq, images) or at_end:
                        recorder.images(progress, model.visuals(out))
                        with stepper.averages.in_use():
                            recorder.samples(progress, *samples.translate())
                    if progress.crossed(opt.save.save_latest_freq, images):
                        saver.save_in_epoch()
                    stop.check()

                measured = validation is not None and validation.is_due(progress.epoch)
                if validation and measured:
                    scores = validation.measure(model, stepper.averages, progress, between=stop.check)
                    recorder.scores(progress, scores, deciding=validation.decides, worth=progress.metrics[-1])
                    watch.lap()  # its time is not that of the next images
                epoch, seconds = progress.epoch, time.perf_counter() - start
                progress.next_epoch()
                saver.save_epoch(epoch, measured=measured)
                log.info("End of epoch %d / %d \t Time Taken: %d sec", epoch, opt.optim.last_epoch, seconds)


if __name__ == "__main__":
    main()
