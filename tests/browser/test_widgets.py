"""Values are written into nodes with mouse and keyboard."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from .serving import Server


def node(page: Page, name: str) -> Locator:
    """A node on the canvas."""
    return page.get_by_role("region", name=f"({name})")


STILL = """element => new Promise(done => {
    let [last, same] = ["", 0];
    const look = () => {
        const now = JSON.stringify(element.getBoundingClientRect());
        same = now === last ? same + 1 : 0;
        last = now;
        if (same === 30) done(); else requestAnimationFrame(look);
    };
    look();
})"""
"""Done when something has stayed where it is for some frames."""


def opened(page: Page, template: str, known: str) -> None:
    """Open a template and wait until one of its nodes lies where it stays."""
    page.get_by_role("button", name=template).first.click()
    expect(node(page, known)).to_be_visible()
    node(page, known).evaluate(STILL)


def picture(colour: str) -> bytes:
    """A PNG of one colour."""
    content = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(content, "PNG")
    return content.getvalue()


def test_numbers_are_dragged_typed_and_counted(page: Page) -> None:
    opened(page, "Text to image", "empty")
    width = node(page, "empty").get_by_role("spinbutton", name="width")
    box = width.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=5)
    page.mouse.up()
    expect(width).not_to_have_attribute("aria-valuenow", "64")
    page.keyboard.press("Control+z")
    expect(width).to_have_attribute("aria-valuenow", "64")

    width.click()
    page.keyboard.type("64*2")
    page.keyboard.press("Enter")
    expect(width).to_have_attribute("aria-valuenow", "128")
    expect(width).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(width).not_to_have_attribute("aria-valuenow", "128")


def test_what_is_no_value_stays_in_the_field_and_is_not_taken(page: Page) -> None:
    opened(page, "Text to image", "sigmas")
    steps = node(page, "sigmas").get_by_role("spinbutton", name="steps")
    steps.click()
    page.keyboard.type("0")
    expect(node(page, "sigmas").get_by_role("alert")).to_contain_text("give a number at least 1")
    page.keyboard.press("Escape")
    expect(steps).to_have_attribute("aria-valuenow", "20")
    expect(node(page, "sigmas").get_by_role("alert")).to_be_hidden()


def test_words_of_a_prompt_are_weighted_with_keys(page: Page) -> None:
    opened(page, "Text to image", "prompt")
    prompt = node(page, "prompt").get_by_role("textbox", name="text")
    prompt.fill("a red apple")
    prompt.press("Home")
    for _ in range(3):
        prompt.press("ArrowRight")
    prompt.press("Control+ArrowUp")
    prompt.press("Control+ArrowUp")
    expect(prompt).to_have_value("a (red:1.1) apple")
    prompt.press("Control+ArrowDown")
    prompt.press("Control+ArrowDown")
    expect(prompt).to_have_value("a red apple")


def test_choices_are_filtered_and_chosen_with_keys(page: Page) -> None:
    opened(page, "Text to image", "enlarge")
    method = node(page, "enlarge").get_by_role("combobox", name="method", exact=True)
    method.press("Enter")
    page.keyboard.type("near")
    page.keyboard.press("Enter")
    expect(method).to_have_text("nearest")
    expect(method).to_be_focused()
    node(page, "enlarge").get_by_role("button", name="method: back to the default").click()
    expect(method).not_to_have_text("nearest")


def test_a_seed_changes_from_run_to_run_as_it_is_told(page: Page) -> None:
    opened(page, "Text to image", "sample")
    seed = node(page, "sample").get_by_role("spinbutton", name="seed")
    node(page, "sample").get_by_role("button", name="seed: draw another").click()
    expect(seed).not_to_have_attribute("aria-valuenow", "0")
    node(page, "sample").get_by_role("button", name="seed: Fixed").click()
    page.get_by_role("radio", name="Count up").click()
    page.keyboard.press("Escape")
    expect(node(page, "sample").get_by_role("button", name="seed: Count up")).to_be_visible()


def test_a_model_is_picked_from_those_that_there_are(page: Page) -> None:
    opened(page, "Text to image", "model")
    node(page, "model").get_by_role("button", name="checkpoint: bundled:icons").click()
    dialog = page.get_by_role("dialog", name="Choose a checkpoint")
    expect(dialog.get_by_role("option", name="bundled:icons,")).to_contain_text("float16")
    page.keyboard.type("matcher")
    page.keyboard.press("Enter")
    expect(node(page, "model").get_by_role("button", name="checkpoint: bundled:icons_matcher")).to_be_visible()


def test_a_mask_is_painted_on_an_uploaded_picture(
    page: Page, server: Server, screenshot: Callable[[Page, str], None]
) -> None:
    opened(page, "Inpainting", "picture")
    file = FilePayload(name="sky.png", mimeType="image/png", buffer=picture("skyblue"))
    node(page, "picture").locator("input[type=file]").set_input_files(file)
    expect(node(page, "picture").get_by_role("button", name=re.compile("^file: uploads.*sky"))).to_be_visible()

    node(page, "picture").get_by_role("button", name="Paint a mask").click()
    stage = page.get_by_role("application", name="The picture to paint on")
    stage.press("r")
    box = stage.bounding_box()
    assert box is not None
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(left - 20, top - 20)
    page.mouse.down()
    page.mouse.move(left + 60, top + 40, steps=4)
    page.mouse.up()
    screenshot(page, "mask")
    stage.press("i")
    stage.press("Control+z")
    page.get_by_role("button", name="Save mask").click()

    made = node(page, "picture_mask").get_by_role("button", name=re.compile("^file: uploads"))
    name = (made.get_attribute("aria-label") or "").removeprefix("file: ")
    with Image.open(io.BytesIO(page.request.get(f"{server.url}/api/v1/inputs/{quote(name, safe='')}").body())) as mask:
        grey = mask.convert("L")
    assert grey.size == (96, 64)
    assert grey.getpixel((50, 34)) == 255
    assert grey.getpixel((2, 2)) == 0


def test_the_properties_of_a_node_are_told_and_changed(page: Page, screenshot: Callable[[Page, str], None]) -> None:
    opened(page, "Text to image", "sample")
    if not page.get_by_role("complementary", name="Properties").is_visible():
        page.get_by_role("button", name="Properties").click()
    node(page, "sample").locator("header").click()
    panel = page.get_by_role("complementary", name="Properties")
    expect(panel).to_contain_text("Make latents out of noise")
    panel.get_by_role("textbox", name="Name").fill("noise_away")
    panel.get_by_role("textbox", name="Name").press("Enter")
    expect(node(page, "noise_away")).to_be_visible()
    start = panel.get_by_role("spinbutton", name="start")
    start.press("ArrowUp")
    expect(node(page, "noise_away").get_by_role("spinbutton", name="start")).to_have_attribute("aria-valuenow", "1")
    screenshot(page, "properties")
