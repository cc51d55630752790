"""Gradio's components, where they would decode, copy or check too early what a visitor sends; and words to visitors."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio import component_meta
from gradio.data_classes import FileData, ImageData, ListFiles

from inference.app.store import Store
from options.errors import UserError

# Gradio writes a .pyi file beside every module that defines a component
component_meta.create_or_modify_pyi = lambda component_class, class_name, events: None


class Sent(NamedTuple):
    """A file that a visitor has sent; nothing of it has been looked at."""

    path: Path
    name: str

    def read(self, store: Store) -> bytes:
        """Return its bytes.

        Raises:
            UserError: it has been deleted meanwhile, or it was never sent.
        """
        if not store.holds(self.path):
            kept = f"files are kept for {store.keep_seconds / 60:g} minutes, so send it again"
            raise UserError(f"{self.name} is not here (any more); {kept}")
        return self.path.read_bytes()


class ImageInput(gr.Image):
    """An image as its file: Gradio's own would decode it at once, however large, and make 8-bit RGB of it."""

    is_template = True  # it looks like its base class

    def preprocess(self, payload: ImageData | None) -> Sent | None:  # type: ignore[override]
        """Return the file."""
        return None if payload is None else _sent(payload)


class FilesInput(gr.File):
    """Several files."""

    is_template = True

    def preprocess(self, payload: ListFiles | FileData | None) -> list[Sent]:  # type: ignore[override]
        """Return the files."""
        if payload is None:
            return []
        return [_sent(one) for one in (payload.root if isinstance(payload, ListFiles) else [payload])]


class Choice(gr.Dropdown):
    """A choice that the program itself checks: what there is changes while the page is open."""

    is_template = True

    def preprocess(self, payload: Any) -> str:  # Any: visitors send anything
        """Return what was chosen."""
        return payload if isinstance(payload, str) else ""


class Buttons(gr.Radio):
    """Likewise, all choices in sight."""

    is_template = True

    def preprocess(self, payload: Any) -> str:  # Any: as above
        """Return what was chosen."""
        return payload if isinstance(payload, str) else ""


def _sent(payload: ImageData | FileData) -> Sent:
    if not payload.path:
        raise gr.Error("the image did not arrive; send its file", print_exception=False)
    path = Path(payload.path)
    return Sent(path, Path(payload.orig_name or path.name).name)


@contextlib.contextmanager
def spoken() -> Iterator[None]:
    """Show a ``UserError`` on the page; whatever else goes wrong stays in the log."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), duration=20, print_exception=False) from error


def who(request: gr.Request | None) -> str:
    """Return the address of a visitor, for the log."""
    client = request.client if request else None
    return str(client.host) if client else "somebody"
