"""What a training tells while it goes on: losses, images and held-out samples when they are due, and validations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.samples import Samples
from models.stepper import Stepped
from models.training import Training
from models.validation import Validation
from util.progress import Stopwatch
from util.run_folder import run_folder
from util.sinks.build import build_sinks
from util.sinks.recorder import Recorder
from util.step_trace import StepTrace


class Reports:
    """Hands what is due to the recorder; every process must ask at the same moments.

    Attributes:
        trace: looks at one of the steps that it surrounds, with ``--profile``.
        watch: times how long each batch is waited for.
    """

    def __init__(self, training: Training, recorder: Recorder, validation: Validation | None, samples: Samples) -> None:
        self._training, self._recorder = training, recorder
        self._validation, self._samples = validation, samples
        world, opt = training.stepper.world, training.opt
        self.trace = StepTrace(run_folder(opt) if opt.log.profile and world.is_main else None)
        self.watch = Stopwatch()

    def after_step(self, stepped: Stepped, images: int, rate: float) -> None:
        """Tell what is due after a step of so many images.

        Raises:
            DivergedError: the losses, which are looked at when they are printed, are no longer numbers.
        """
        opt, model, stepper, progress = self._training
        self._recorder.step(progress, images)
        self.watch.count(images)
        at_end = progress.at_end(opt.optim.last_epoch)
        if progress.crossed(opt.log.print_freq, images) or at_end:
            lap = self.watch.lap()
            self._recorder.scalars(progress, stepped.losses, stepped.accuracies, learning_rate=rate, lap=lap)
            stepper.check_losses()
        if progress.crossed(opt.log.display_freq, images) or at_end:
            self._recorder.images(progress, model.visuals(stepped.out))
            with stepper.averages.in_use():
                self._recorder.samples(progress, *self._samples.translate())

    def after_epoch(self, between: Callable[[], None]) -> bool:
        """Validate if that is due, and tell whether it was.

        Args:
            between: called after each batch; may raise to stop.
        """
        validation, (_, model, stepper, progress) = self._validation, self._training
        if validation is None or not validation.is_due(progress.epoch):
            return False
        scores = validation.measure(model, stepper.averages, progress, between=between)
        self._recorder.scores(progress, scores, deciding=validation.decides, worth=progress.metrics[-1])
        self.watch.lap()  # its time is not that of the next images
        return True


@contextmanager
def reporting(training: Training, validation: Validation | None, samples: Samples) -> Iterator[Reports]:
    """Open the sinks of a training that has been filled, and close them at the end."""
    if validation:
        validation.take_up(training.progress)
    world = training.stepper.world
    sinks = build_sinks(training.opt, training.progress) if world.is_main else []
    with Recorder(sinks, world) as recorder:
        yield Reports(training, recorder, validation, samples)
