"""Show a page in the browser on which everybody can try trained runs, and serve programs beside it.

python app.py
python app.py horse2zebra facades
python app.py --host 0.0.0.0 --login me:secret
"""

import os
import sys
from collections.abc import Sequence

from inference.app.server import serve
from options.app import parse_app, parse_login
from util.run import entry_point


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the flags and serve; a mistake of the user ends in one sentence and exit code 2."""
    with entry_point("app.py"):
        opt = parse_app(sys.argv[1:] if argv is None else argv)
        serve(opt, parse_login(opt.login, os.environ))


if __name__ == "__main__":
    main()
