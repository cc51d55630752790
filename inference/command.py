"""What ``translate.py`` does: translate files, one image through a pipe, or what a camera sees."""

import logging
import sys
from pathlib import Path

from inference.files import FileSettings, translate_files
from inference.inputs import read_input, read_input_bytes
from inference.jobs import WRITTEN, Job, job_of, list_jobs
from inference.large import Tiling
from inference.load import load
from inference.record import Record, described, refuse_to_overwrite
from inference.translator import Translator
from inference.video import VideoSettings, watch_camera
from inference.writing import encoded, write_image
from options.errors import UserError
from options.translate import TranslateOptions

log = logging.getLogger(__name__)


def translate(opt: TranslateOptions) -> bool:
    """Do what the flags say; tell whether all could be translated.

    Raises:
        UserError: nothing could be, or a flag does not suit the files.
    """
    jobs = [] if opt.camera or opt.inputs == ("-",) else list_jobs(opt.inputs, opt.output, suffix=opt.suffix)
    translator = build(opt)
    if opt.camera:
        record = Path(opt.output) if opt.output else None
        watch_camera(translator, opt.camera, video_settings(opt), record=record, port=opt.port)
    elif opt.inputs == ("-",) or opt.output == "-":
        translate_one(translator, jobs, opt)
    else:
        return translate_all(translator, jobs, opt)
    return True


def build(opt: TranslateOptions) -> Translator:
    """Load the run as the flags say."""
    translator = load(
        opt.run,
        direction=opt.direction,
        epoch=opt.epoch,
        device=opt.place,
        precision=opt.precision,
        ema={"auto": None, "on": True, "off": False}[opt.ema],
        running_statistics=opt.eval,
        checkpoints_dir=opt.checkpoints_dir,
    )
    translator.tiling = Tiling(opt.tiling, opt.bytes)
    log.info("%s translates %s on %s", translator.source, translator.direction, translator.describe())
    return translator


def translate_all(translator: Translator, jobs: list[Job], opt: TranslateOptions) -> bool:
    """Translate files; those that are done already are left out."""
    settings = FileSettings(opt.load_size, opt.quality, opt.num_threads, video_settings(opt), opt.quiet, opt.bytes // 4)
    if len(jobs) == 1 and jobs[0].target == Path(opt.output):
        if not opt.overwrite:
            refuse_to_overwrite(jobs[0])
        complaints, todo = translate_files(translator, jobs, settings), jobs
    else:
        made_by = described(translator.way(""), translator.source, load_size=opt.load_size)
        record = Record(Path(opt.output), made_by)
        todo = record.remaining(jobs, overwrite=opt.overwrite)
        if len(todo) < len(jobs):
            done = len(jobs) - len(todo)
            log.info("%d of %d are translated already; --overwrite does them again", done, len(jobs))
        complaints = translate_files(translator, todo, settings, record.begin)
    if complaints and len(jobs) == 1:
        raise UserError(complaints[0])
    log.info("%d translated: %s", len(todo) - len(complaints), opt.output)
    if complaints:
        log.warning("%d of %d could not be translated; the messages above say why", len(complaints), len(todo))
    return not complaints


def translate_one(translator: Translator, jobs: list[Job], opt: TranslateOptions) -> None:
    """Translate an image from standard input or to standard output."""
    if len(jobs) > 1 or (jobs and jobs[0].is_video):
        raise UserError(f"-o - writes one image, but there are {len(jobs)} files or a video; give a folder with -o")
    to = Path(opt.output)
    if opt.output != "-" and (to.suffix.lower() not in WRITTEN or to.is_dir()):
        raise UserError(f"-o {to} is no name of an image; end it with .png, or write to standard output with -o -")
    job = job_of(Path("-"), to)
    if opt.output != "-" and not opt.overwrite:
        refuse_to_overwrite(job)
    image = read_input(jobs[0].source) if jobs else read_input_bytes(sys.stdin.buffer.read(), "standard input")
    (raster,) = translator.rasters([image], load_size=opt.load_size)
    if opt.output != "-":
        written = write_image(raster, job.stem, image.header, suffix=job.suffix, quality=opt.quality)
        log.info("%s", written)
        return
    content, _ = encoded(raster, image.header, suffix=opt.suffix, quality=opt.quality)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def video_settings(opt: TranslateOptions) -> VideoSettings:
    """Return the flags for videos."""
    return VideoSettings(smooth=opt.smooth, crf=opt.crf, load_size=opt.load_size)
