"""A text-to-image graph made from nothing with mouse and keyboard, run on the bundled model."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from .editing import Editor, middle

NODES = (
    ("load checkpoint", "load_checkpoint", 120, 120),
    ("encode text", "encode_text", 480, 80),
    ("classifier free guidance", "classifier_free_guidance", 820, 80),
    ("euler", "euler", 480, 360),
    ("flow sigmas", "flow_sigmas", 480, 560),
    ("empty latent", "empty_latent", 820, 360),
    ("decode latent", "decode_latent", 820, 600),
    ("save image", "save_image", 120, 500),
)
WIRES = (
    ("load_checkpoint.text_encoder", "encode_text.encoder"),
    ("load_checkpoint.denoiser", "classifier_free_guidance.denoiser"),
    ("encode_text.conditioning", "classifier_free_guidance.positive"),
    ("load_checkpoint.denoiser", "empty_latent.model"),
    ("euler.sampler", "sample.sampler"),
    ("flow_sigmas.sigmas", "sample.sigmas"),
    ("empty_latent.latent", "sample.latent"),
    ("load_checkpoint.autoencoder", "decode_latent.autoencoder"),
    ("sample.latent", "decode_latent.latent"),
    ("decode_latent.image", "save_image.image"),
)


def test_a_graph_from_nothing_makes_a_picture(page: Page, screenshot: Callable[[Page, str], None]) -> None:
    editor = Editor(page)
    editor.begin()
    for text, _, x, y in NODES:
        editor.add(text, x, y)
    editor.arrange()

    # a wire that is dropped on the empty canvas offers what fits, and wires it
    editor.pull("classifier_free_guidance", "guider")
    page.mouse.move(1250, 700, steps=4)
    page.mouse.up()
    editor.choose("sample")
    expect(editor.node("sample")).to_be_visible()
    expect(editor.wires()).to_have_count(1)

    editor.arrange()
    for number, (source, target) in enumerate(WIRES, start=2):
        editor.connect(*source.split("."), *target.split("."))
        expect(editor.wires()).to_have_count(number)
    editor.arrange()

    editor.node("load_checkpoint").get_by_role("button", name="checkpoint: none chosen").click()
    page.get_by_text("bundled:icons").first.click()
    editor.node("encode_text").get_by_role("textbox").fill("a dog face")
    for side in ("width", "height"):
        editor.write_number("empty_latent", side, "64")
    screenshot(page, "built")
    page.keyboard.press("Control+Enter")
    expect(editor.node("save_image").locator("img").first).to_be_visible(timeout=60_000)
    screenshot(page, "made")


def test_a_wire_that_does_not_fit_says_why(page: Page) -> None:
    editor = Editor(page)
    editor.open_template("Text to image")
    before = editor.wires().count()
    editor.connect("model", "denoiser", "enlarge", "image")
    expect(page.get_by_text("Denoiser is not Image").first).to_be_visible()
    expect(editor.wires()).to_have_count(before)


def test_everything_can_be_undone_and_done_again(page: Page) -> None:
    editor = Editor(page)
    editor.open_template("Text to image")
    before = editor.document()
    x, y = middle(editor.title("save"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 120, steps=4)
    page.mouse.up()
    editor.title("enlarge").click()
    page.keyboard.press("Delete")
    expect(editor.node("enlarge")).to_be_hidden()
    changed = editor.document()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(editor.node("enlarge")).to_be_visible()
    assert editor.document() == before
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    expect(editor.node("enlarge")).to_be_hidden()
    assert editor.document() == changed


def test_saved_and_reloaded_it_is_the_same(page: Page) -> None:
    editor = Editor(page)
    editor.open_template("Image to image")
    page.keyboard.press("Control+s")
    page.get_by_role("dialog").get_by_label("Name").fill("browser/saved")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("tab", name="saved")).to_be_visible()
    before = editor.document()
    page.reload()
    expect(page.get_by_role("tab", name="saved")).to_have_attribute("aria-selected", "true")
    expect(editor.nodes().first).to_be_visible()
    assert editor.document() == before


def test_what_was_not_saved_survives_a_reload(page: Page) -> None:
    editor = Editor(page)
    editor.begin()
    editor.add("calculate", 400, 300)
    page.reload()
    expect(editor.node("calculate")).to_be_visible()
    expect(page.get_by_role("img", name="changed")).to_be_visible()
