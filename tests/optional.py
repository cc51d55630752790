"""What tests need beside the project's own requirements."""

import importlib.util
import os

import pytest

from tests.browser import PROGRAM


def need(*packages: str, chromium: bool = False) -> None:
    """Skip a module where packages, or the browser, are missing; under ``REQUIRE_ALL_TESTS`` it fails."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        skip(f"{' and '.join(missing)} not installed")
    if chromium and not PROGRAM:
        skip("there is no Chromium")


def skip(reason: str) -> None:
    """Skip a module, or fail it under ``REQUIRE_ALL_TESTS``, as in ``.ci/run``."""
    if os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
