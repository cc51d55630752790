"""Translate images, folders, videos or what a camera sees with a trained run.

python translate.py horse2zebra horse.jpg -o zebra.png
python translate.py checkpoints/horse2zebra images/ videos/*.mp4 -o translated/
python translate.py horse2zebra --camera
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from inference import Translator, load
from inference.given import from_bytes
from inference.large import Tiling
from inference.listing import WRITTEN, Job, job_of, list_jobs, with_suffix
from inference.many import Many, translate_files
from inference.record import Record, described, refuse_to_overwrite
from inference.video import VideoSettings, watch_camera
from inference.writing import write_image
from options.errors import UserError
from options.translate import TranslateOptions, parse_translate
from util.run import entry_point, log, speak, speak_on_standard_error


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and translate; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("translate.py"):
        opt = parse_translate(argv)
        speak(quiet=opt.quiet)
        if opt.output == "-":
            speak_on_standard_error()
        jobs = [] if opt.camera or opt.inputs == ("-",) else list_jobs(opt.inputs, opt.output, suffix=suffix_of(opt))
        translator = build(opt)
        if opt.camera:
            watch(translator, opt)
        elif opt.inputs == ("-",) or opt.output == "-":
            translate_one(translator, jobs, opt)
        else:
            translate_all(translator, jobs, opt)


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


def translate_all(translator: Translator, jobs: list[Job], opt: TranslateOptions) -> None:
    """Translate files; those that are done already are left out."""
    how = Many(opt.load_size, opt.quality, opt.num_threads, video_settings(opt), opt.quiet, opt.bytes // 4)
    if len(jobs) == 1 and with_suffix(jobs[0].stem, jobs[0].suffix) == Path(opt.output):
        if not opt.overwrite:
            refuse_to_overwrite(jobs[0])
        complaints, todo = run(translator, jobs, how), jobs
    else:
        made_by = described(translator.way(""), translator.source, load_size=opt.load_size)
        record = Record(Path(opt.output), made_by)
        todo = record.remaining(jobs, overwrite=opt.overwrite)
        if len(todo) < len(jobs):
            done = len(jobs) - len(todo)
            log.info("%d of %d are translated already; --overwrite does them again", done, len(jobs))
        complaints = run(translator, todo, how, record.begin)
    if complaints and len(jobs) == 1:
        raise UserError(complaints[0])
    log.info("%d translated: %s", len(todo) - len(complaints), opt.output)
    if complaints:
        log.warning("%d of %d could not be translated; the messages above say why", len(complaints), len(todo))
        sys.exit(1)


def run(
    translator: Translator, jobs: list[Job], how: Many, begin: Callable[[Job], None] = lambda job: None
) -> list[str]:
    """Translate files under a progress bar; returns what is wrong with those that could not be."""
    with tqdm(total=len(jobs), unit="file", disable=True if how.quiet else None) as bar:
        return translate_files(translator, jobs, how, bar, begin)


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
    data, name = sys.stdin.buffer.read() if not jobs else jobs[0].source.read_bytes(), "standard input"
    image = from_bytes(data, str(jobs[0].source) if jobs else name)
    (raster,) = translator.rasters([image], load_size=opt.load_size)
    if opt.output != "-":
        written = write_image(raster, job.stem, image.header, suffix=job.suffix, quality=opt.quality)
        log.info("%s", written)
        return
    with tempfile.TemporaryDirectory() as folder:
        stem, suffix = Path(folder, "out"), suffix_of(opt)
        path = write_image(raster, stem, image.header, suffix=suffix, quality=opt.quality)
        sys.stdout.buffer.write(path.read_bytes())
        sys.stdout.buffer.flush()


def watch(translator: Translator, opt: TranslateOptions) -> None:
    """Translate what a camera sees until Ctrl-C."""
    record = Path(opt.output) if opt.output else None
    watch_camera(translator, opt.camera, video_settings(opt), record=record, port=opt.port)


def video_settings(opt: TranslateOptions) -> VideoSettings:
    """Return the flags for videos."""
    return VideoSettings(smooth=opt.smooth, crf=opt.crf, load_size=opt.load_size)


def suffix_of(opt: TranslateOptions) -> str:
    """Return the suffix of images, or nothing where each decides for itself."""
    return f".{opt.format}" if opt.format else ""


if __name__ == "__main__":
    main()
