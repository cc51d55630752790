"""Read every file of a folder in one process of bounded memory; say as JSON what came of each.

Run as ``python -m tests.util.raster.read_everything FOLDER BYTES``.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from options.errors import UserError
from util.raster.reading import read_header, read_raster

SECONDS = 10  # for one file


def outcome(path: Path) -> str:
    """Return "read", the sentence of the refusal, or what should not have happened."""
    try:
        levels, color = read_raster(path)
    except UserError as error:
        return str(error)
    except BaseException as error:  # noqa: BLE001  # that is what is looked for
        return f"!! {error!r}"
    height, width, channels, dtype = *levels.shape, levels.dtype
    try:
        header = read_header(path)
    except BaseException as error:  # noqa: BLE001
        return f"!! the header of what is read: {error!r}"
    described = header.height, header.width, header.channels, header.dtype, header.color
    return "read" if described == (height, width, channels, dtype, color) else f"!! {header} {levels.shape} {color}"


def peak() -> int:
    """Return the most bytes that were in memory; getrusage would count those of the process that started this one."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell")


def too_long(*_: object) -> None:
    raise SystemExit("it takes too long")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, too_long)
    most = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    outcomes = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        signal.alarm(SECONDS)
        outcomes[path.name] = outcome(path)
        signal.alarm(0)
    print(json.dumps({"outcomes": outcomes, "peak": peak()}))
