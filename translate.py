"""Translate images, folders, videos or what a camera sees with a trained run.

python translate.py horse2zebra horse.jpg -o zebra.png
python translate.py checkpoints/horse2zebra images/ videos/*.mp4 -o translated/
python translate.py horse2zebra --camera
"""

import sys
from collections.abc import Sequence

from inference.command import translate
from options.translate import parse_translate
from util.run import entry_point, speak, speak_on_standard_error


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and translate; a mistake of the user ends in one sentence and exit code 2.

    Where some files could not be translated the others are all the same; exit code 1.
    """
    with entry_point("translate.py"):
        opt = parse_translate(sys.argv[1:] if argv is None else argv)
        speak(quiet=opt.quiet)
        if opt.output == "-":
            speak_on_standard_error()
        if not translate(opt):
            sys.exit(1)


if __name__ == "__main__":
    main()
