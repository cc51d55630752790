"""What the Visdom dashboard shows: the curves, the grid of pictures and the table of their labels.

Window numbers and titles are those of the official code. Each call sends a whole window, never a part: on
a long run that is far cheaper than appending, and a server that was restarted is complete again.
"""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from util.images import Picture, as_rgb
from util.sinks import Scalars
from util.sinks.traces import colour, smooth, thin, traces
from util.sinks.visdom_client import Client, check

POINTS = 1000  # per trace
BAR = 16  # pixels of the bar above a picture
PADDING = 4  # pixels of white around each picture
JPEG_QUALITY = 80
CURVES_SIZE = (740, 500)  # pixels, width and height
SMALLEST_CELL = 128  # pixels
GRID_WIDTH = 960  # pixels at most; a larger grid is shown smaller


def show_curves(client: Client, window: str, name: str, history: Sequence[Scalars]) -> None:
    """Replace the window of the loss curves."""
    lines = traces(thin([event for event in history if math.isfinite(event.position)], POINTS))
    if not lines:
        return
    means = [smooth(line.y, len(line.y) // 40) for line in lines]
    y = np.array([line.y for line in lines] + means).T  # points x traces, the means drawn on top
    options = _curve_options(f"{name} loss over time", [line.name for line in lines])
    check(client.line(Y=y, X=np.array(lines[0].x), win=window, opts=options), window)


def _curve_options(title: str, names: list[str]) -> dict[str, object]:
    """Style the traces: each loss faintly as measured, and its moving average, which has the legend."""
    styles: dict[str, dict[str, object]] = {}
    for index, name in enumerate(names):
        # Faint by colour: the page of visdom resets the opacity of a trace.
        faint = {"color": f"{colour(index)}40", "width": 1}
        hidden = {"showlegend": False, "hoverinfo": "skip"}
        styles[measured(name)] = {"line": faint, "legendgroup": name} | hidden
        styles[name] = {"line": {"color": colour(index), "width": 2}, "legendgroup": name}
    layout = {
        "title": "",  # the window bar shows it
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
        "hovermode": "x unified",
        "yaxis": {"rangemode": "tozero"},
        "xaxis": {"title": "epoch"},
    }
    return {
        "title": title,
        "legend": [measured(name) for name in names] + names,
        "width": CURVES_SIZE[0],
        "height": CURVES_SIZE[1],
        "margintop": 50,
        "marginleft": 40,
        "marginright": 20,
        "marginbottom": 45,
        "traceopts": {"plotly": styles},
        "layoutopts": {"plotly": layout},
    }


def measured(name: str) -> str:
    """Return the name of the trace with the losses as reported; ``name`` itself is their mean."""
    return f"{name} (measured)"


def show_grid(client: Client, windows: tuple[str, str], name: str, pictures: dict[str, Picture], columns: int) -> None:
    """Replace the windows of the pictures and of their labels."""
    columns = min(columns, len(pictures))
    shown = grid([enlarged(picture) for picture in pictures.values()], columns)
    width = min(GRID_WIDTH, shown.shape[1])
    height = round(shown.shape[0] * width / shown.shape[1])
    _show_picture(client, windows[0], f"{name} images", shown, width, height)
    rows = math.ceil(len(pictures) / columns)
    options = {"title": f"{name} labels", "width": width, "height": 30 + 27 * rows}
    check(client.text(label_table(list(pictures), columns), win=windows[1], opts=options), windows[1])


def show_separately(client: Client, first_window: int, pictures: dict[str, Picture]) -> None:
    """Replace one window per picture, numbered from ``first_window``."""
    for number, (label, picture) in enumerate(pictures.items(), first_window):
        rgb = as_rgb(picture)
        _show_picture(client, str(number), label, rgb, rgb.shape[1], rgb.shape[0])


def _show_picture(client: Client, window: str, title: str, picture: Picture, width: int, height: int) -> None:
    options = {"title": title, "width": width, "height": height + BAR, "jpgquality": JPEG_QUALITY}
    check(client.image(picture.transpose(2, 0, 1), win=window, opts=options), window)


def grid(pictures: Sequence[Picture], columns: int) -> Picture:
    """Put pictures on white, row by row; a smaller one sits at the top left of its cell."""
    cells = [as_rgb(picture) for picture in pictures]
    height = max(cell.shape[0] for cell in cells) + PADDING
    width = max(cell.shape[1] for cell in cells) + PADDING
    rows = math.ceil(len(cells) / columns)
    sheet = np.full((rows * height + PADDING, columns * width + PADDING, 3), 255, dtype=np.uint8)
    for index, cell in enumerate(cells):
        top = index // columns * height + PADDING
        left = index % columns * width + PADDING
        sheet[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return sheet


def enlarged(picture: Picture) -> Picture:
    """Repeat the pixels of a picture that is too small to be looked at."""
    factor = max(1, SMALLEST_CELL // picture.shape[1])
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def label_table(labels: Sequence[str], columns: int) -> str:
    """Return an HTML table of the labels, laid out as the grid; a label is shown as text, never run."""
    style = 'style="border: 1px solid #ccc; color: #333; padding: 5px; text-align: center"'
    cells = [f"<td {style}>{escape(label)}</td>" for label in labels]
    rows = ["".join(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<table style="width: 100%; table-layout: fixed; border-collapse: collapse; font: 14px sans-serif">'
        f"{body}</table>"
    )
