"""What the page looks like, and which action belongs to which button."""

from typing import Any

import gradio as gr

from inference.app.batch import Batch
from inference.app.choosing import OWN, Choosing
from inference.app.components import Buttons, Choice, FilesInput, ImageInput
from inference.app.service import Service
from inference.app.single import Single

TITLE = "Translate images"
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "Consolas", "monospace")
CSS = """
.gradio-container { width: 100% !important; max-width: 1400px !important; margin: 0 auto !important }
#facts, #about { color: var(--body-text-color-subdued); font-size: var(--text-sm); min-height: 0 }
.grid-wrap.fixed-height { overflow: visible !important; max-height: none !important; min-height: 0 !important }
#examples .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important }
@media (max-width: 640px) {
  #training-images .grid-container { grid-template-columns: repeat(2, 1fr) !important }
  #sheets .grid-container { grid-template-columns: 1fr !important }
}
#empty { border: 1px dashed var(--border-color-primary); border-radius: var(--radius-lg); padding: 64px 24px;
  text-align: center; color: var(--body-text-color-subdued) }
"""
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def theme() -> gr.themes.Base:
    """Return a theme that needs nothing from the internet."""
    return gr.themes.Default(primary_hue="blue", font=FONT, font_mono=MONO)  # type: ignore[arg-type]


def build(service: Service, *, examples: int, most_waiting: int) -> gr.Blocks:
    """Lay the page out.

    Args:
        examples: how many images of a run's data set are shown.
        most_waiting: visitors that may wait for a translation.
    """
    choosing = Choosing(service, examples)
    delete = (60, max(1, int(service.store.keep_seconds)))
    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=delete, fill_width=True) as page:
        gr.Markdown(f"# {TITLE}")
        notice = gr.Markdown(visible=False, elem_id="notice")
        with gr.Row():
            run = Choice([], label="Run", allow_custom_value=False, elem_id="run", min_width=240)
            direction = Buttons([], label="Direction", elem_id="direction", min_width=200)
            size = Buttons([], label="Size while translating", value=OWN, elem_id="size", min_width=320, scale=2)
        with gr.Tab("One image"):
            go, round_trip, gallery = _single_tab(Single(service, choosing), run, direction, size)
        with gr.Tab("Several"):
            go_batch = _batch_tab(Batch(service, choosing), run, direction, size)
        with gr.Tab("Samples") as samples_tab:
            samples = _samples_tab()
        chosen = [direction, size, round_trip, notice, go, go_batch]
        shown = {"fn": choosing.examples, "inputs": [run, direction], "outputs": [gallery], **QUICK}
        gr.on([page.load], choosing.arrive, [run], [run, *chosen], **QUICK).then(**shown)
        run.input(choosing.choose, [run], chosen, **QUICK).then(**shown)
        direction.input(**shown)
        for event in (samples_tab.select, run.input):
            event(choosing.samples, [run], samples, **QUICK)
    page.queue(max_size=most_waiting, default_concurrency_limit=1, api_open=False)
    return page


def _single_tab(
    single: Single, run: Choice, direction: Buttons, size: Buttons
) -> tuple[gr.Button, gr.Checkbox, gr.Gallery]:
    """Lay out the tab for one image; return those of its parts that change with the run."""
    kept, partner = gr.State(None), gr.State("")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            image = ImageInput(label="Image", sources=["upload", "webcam", "clipboard"], height=340, elem_id="image")
            about = gr.Markdown(visible=False, elem_id="about")
            go = gr.Button("Translate", variant="primary", interactive=False, elem_id="translate")
            round_trip = gr.Checkbox(True, label="And back again (round trip)", visible=False)
            with gr.Accordion("Compare with the true image", open=False):
                truth = ImageInput(label="True image, if there is one", sources=["upload", "clipboard"], height=220)
            more: dict[str, Any] = {"object_fit": "cover", "allow_preview": False, "buttons": []}
            examples = _gallery("From the run's data set", 4, elem_id="examples", **more)
        with gr.Column(scale=2, min_width=320):
            results = _results()
    image.input(single.inspect, [run, direction, image, truth, partner], [image, truth, kept, about], **QUICK)
    examples.select(
        single.take_example,
        [run, direction],
        [image, truth, partner, kept, about],
        **QUICK | {"show_progress": "minimal"},
    )
    go.click(
        single.translate,
        [run, direction, size, round_trip, image, truth, kept],
        results,
        api_name="translate",
        scroll_to_output=True,
    )
    return go, round_trip, examples


def _results() -> list[Any]:
    """Lay out what a translation fills, in the order of what ``Single.translate`` returns."""
    empty = gr.Markdown("The translation will be here.", elem_id="empty")
    with gr.Column(visible=False) as results:
        with gr.Row():
            views = [_view(label) for label in ("Image", "Translation", "Round trip", "True image")]
        with gr.Row():
            with gr.Column(min_width=240):
                facts = gr.Markdown(elem_id="facts")
            with gr.Column(min_width=280):
                download = gr.DownloadButton("Download", size="md", elem_id="download")
        slider = _slider("Image | translation", elem_id="slider")
        second = _slider("Translation | true image", visible=False)
    return [results, empty, *views, slider, second, download, facts]


def _view(label: str) -> gr.Image:
    return gr.Image(
        label=label,
        interactive=False,
        min_width=140,
        buttons=["fullscreen"],
        visible=label in ("Image", "Translation"),
        elem_classes=["view"],
        elem_id=f"view-{label.split()[0].lower()}",
    )


def _slider(label: str, **more: Any) -> gr.ImageSlider:
    return gr.ImageSlider(label=label, max_height=460, buttons=["fullscreen"], interactive=False, **more)


def _gallery(label: str, columns: int, **more: Any) -> gr.Gallery:
    return gr.Gallery(label=label, columns=columns, height="auto", visible=False, interactive=False, **more)


def _batch_tab(batch: Batch, run: Choice, direction: Buttons, size: Buttons) -> gr.Button:
    files = FilesInput(label="Images", file_count="multiple", height=200, elem_id="files")
    go = gr.Button("Translate all", variant="primary", interactive=False, elem_id="translate-all")
    words = gr.Markdown(elem_id="batch-words")
    archive = gr.DownloadButton("Download all (ZIP)", visible=False, elem_id="archive")
    images = _gallery("Translations", 4)
    go.click(
        batch.translate,
        [run, direction, size, files],
        [images, archive, words],
        api_name="translate_all",
        show_progress_on=words,
    )
    return go


def _samples_tab() -> list[Any]:
    word = gr.Markdown(visible=False)
    sheets = _gallery("Held-out samples, newest first", 2, elem_id="sheets", object_fit="contain")
    images = _gallery("Images of the training, newest first", 6, elem_id="training-images")
    return [sheets, images, word]
