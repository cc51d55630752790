"""What tests of exports need beside the project's own requirements."""

import importlib.util
import os

import pytest


def need(*packages: str) -> None:
    """Skip a module where packages are missing; under ``REQUIRE_ALL_TESTS``, as in ``.ci/run``, it fails."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        skip(f"{' and '.join(missing)} not installed")


def skip(reason: str) -> None:
    """Skip a module, or fail it under ``REQUIRE_ALL_TESTS``."""
    if os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
