"""Run a table of the papers, row by row and seed by seed, and print it beside the published one.

python ablate.py --list
python ablate.py pix2pix_losses --dataroot ./datasets/facades --direction BtoA --seeds 3 --metrics l1,lpips,fid
python ablate.py pix2pix_patch_size --dataroot ./datasets/facades --direction BtoA -- --load_size 143 --crop_size 128
"""

import sys
from collections.abc import Sequence

from ablation.runner import commands, run_table
from ablation.tables import listing, read_table, table_names
from options.ablate import AblateOptions, parse_ablate
from util.run import entry_point, log, speak


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and run; a mistake of the user ends in one sentence and exit code 2.

    Where a run has failed the others are run all the same; exit code 1.
    """
    with entry_point("ablate.py"):
        opt = parse_ablate(sys.argv[1:] if argv is None else argv)
        speak(quiet=opt.quiet)
        if opt.list:
            log.info("%s", listing(table_names()))
        elif opt.dry_run:
            for command in commands(read_table(opt.table), opt):
                log.info("%s", command)
        else:
            ablate(opt)


def ablate(opt: AblateOptions) -> None:
    """Run a table; repeated, the command goes on where it was stopped."""
    complaints = run_table(read_table(opt.table), opt)
    if complaints:
        log.warning("%d runs failed; the same command tries them again: %s", len(complaints), "; ".join(complaints))
        sys.exit(1)


if __name__ == "__main__":
    main()
