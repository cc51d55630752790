"""Who is there, and how the page speaks to them."""

import contextlib
from collections.abc import Iterator

import gradio as gr

from inference.app.components import Sent
from inference.app.store import Store
from options.errors import UserError


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


def contents(sent: Sent, store: Store) -> bytes:
    """Return the bytes of what a visitor has sent.

    Raises:
        UserError: it has been deleted meanwhile, or it was never sent.
    """
    if not store.holds(sent.path):
        minutes = store.keep_seconds / 60
        raise UserError(f"{sent.name} is not here (any more); files are kept for {minutes:g} minutes, so send it again")
    return sent.path.read_bytes()
