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
from models.reports import reporting
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
from util.progress import Progress
from util.run import entry_point, log, speak


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

    training = Training(opt, model, stepper, progress)
    with started(training) as saver, reporting(training, validation, samples) as reports, saver.guarding() as stop:
        while not is_over(opt.optim, progress, opt.val.patience):
            epoch, start = progress.epoch, time.perf_counter()
            rate = stepper.set_learning_rate(progress)
            for batch in reports.watch.waits(loader.epoch(epoch, progress.seen_in_epoch)):
                with reports.trace.of(world.device):
                    stepped = stepper.step(batch, progress)
                progress.advance(images := batch.in_all)
                reports.after_step(stepped, images, rate)
                if progress.crossed(opt.save.save_latest_freq, images):
                    saver.save_in_epoch()
                stop.check()
            measured, seconds = reports.after_epoch(between=stop.check), time.perf_counter() - start
            progress.next_epoch()
            saver.save_epoch(epoch, measured=measured)
            log.info("End of epoch %d / %d \t Time Taken: %d sec", epoch, opt.optim.last_epoch, seconds)


if __name__ == "__main__":
    main()
