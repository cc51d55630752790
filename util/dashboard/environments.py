"""The dashboard's environments on disk: read when first looked at, written whole or not at all.

Visdom's own code answers 500 for ever once a file is damaged, writes ``null`` over one that was not looked at
yet, and leaves half a file when it is interrupted.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from util.files import whole_file

log = logging.getLogger(__name__)


class Environment(Mapping[str, Any]):  # Any: windows and layouts are visdom's affair
    """A saved environment that is read at the first look; a damaged one is set aside and starts empty."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._content: dict[str, Any] | None = None

    @property
    def untouched(self) -> bool:
        """Tell whether nobody looked at it, so that the file is as good as ever."""
        return self._content is None

    def __getitem__(self, key: str) -> Any:
        return self._opened()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._opened()[key] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened())

    def __len__(self) -> int:
        return len(self._opened())

    def _opened(self) -> dict[str, Any]:
        if self._content is None:
            self._content = _read(self._path)
        return self._content


def save(state: Mapping[str, Mapping[str, Any]], names: Iterable[str], env_path: str) -> list[str]:
    """Write the named environments; return the names of those that exist.

    Raises:
        OSError: the disk is full, the folder is gone, or the name is none that a file can have.
    """
    known = [name for name in names if name in state]
    for name in known:
        with whole_file(Path(env_path, f"{name}.json")) as file:
            file.write(json.dumps(dict(state[name])).encode())
    return known


def save_all(state: Mapping[str, Mapping[str, Any]], env_path: str) -> int:
    """Write every environment that can differ from its file; return their number.

    What cannot be written is one warning each.
    """
    saved = 0
    for name, environment in state.items():
        unchanged = isinstance(environment, Environment) and environment.untouched
        # A client opens "a/b" and fills "a_b"; the former stays empty and can be no file.
        if unchanged or "/" in name:
            continue
        try:
            saved += len(save(state, [name], env_path))
        except (OSError, ValueError) as error:
            log.warning("the dashboard %s could not be saved (%s)", name, error)
    return saved


def take_over() -> None:
    """Make visdom's server keep its environments by this module."""
    from visdom.server import app
    from visdom.server.handlers import socket_handlers, web_handlers

    app.LazyEnvData = Environment  # type: ignore[attr-defined, assignment]
    for module in (app, socket_handlers, web_handlers):
        module.serialize_env = save  # type: ignore[attr-defined]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        return {"jsons": dict(found["jsons"]), "reload": dict(found["reload"])}
    except (OSError, ValueError, TypeError, KeyError) as error:
        aside = path.with_suffix(".damaged")
        with contextlib.suppress(OSError):
            os.replace(path, aside)
        log.warning("the dashboard %s is damaged (%s); it starts empty, and the file is now %s", path, error, aside)
        return {"jsons": {}, "reload": {}}
