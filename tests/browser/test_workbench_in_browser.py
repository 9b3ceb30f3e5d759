"""What needs a real browser: a part of a run that is run again, a picture in full resolution, and the clipboard."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settle


def test_chosen_pictures_open_the_form_of_a_new_run(shown: Server, visit: Callable[..., Page]) -> None:
    run = shown.store.runs()[0].run_id
    page = visit(f"{shown.url}/gallery?run={run}")
    boxes = page.get_by_role("checkbox", name="Choose image-")
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    again = page.get_by_role("button", name="Run these 3 with …")
    again.click()
    expect(page.get_by_role("heading", name="New run")).to_be_visible()
    settle(page)
    expect(page.get_by_text("3 pictures of photos", exact=True)).to_be_visible()
    expect(page.locator(".st-key-browser_pictures img")).to_have_count(3)
    assert "list=" in page.url
    page.reload()
    settle(page)
    expect(page.get_by_text("3 pictures of photos", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def test_a_picture_is_zoomed_moved_and_its_link_copied(shown: Server, visit: Callable[..., Page]) -> None:
    page = visit(f"{shown.url}/image?run={shown.store.runs()[0].run_id}")
    page.get_by_role("button", name="Zoom").click()
    dialog = page.get_by_role("dialog")
    stage, said = dialog.get_by_role("img", name="The picture in full resolution"), dialog.locator(".tools span")
    expect(said).to_contain_text(" % of ")
    dialog.get_by_role("button", name="100 %").click()
    expect(said).to_contain_text("100 % of ")
    width = int((said.text_content() or "").split(" of ")[1].split()[0])
    assert width >= 4 * 160  # the original, not the thumbnail
    dialog.get_by_role("button", name="Larger").click()
    expect(said).to_contain_text("125 % of ")
    stage.hover()
    page.mouse.wheel(0, -800)
    expect(said).not_to_contain_text("125 % of ")
    picture = stage.locator("img")
    before = picture.bounding_box()
    page.mouse.down()
    page.mouse.move(200, 200)
    page.mouse.up()
    assert picture.bounding_box() != before
    page.keyboard.press("1")
    expect(said).to_contain_text("100 % of ")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy path").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    assert page.evaluate("navigator.clipboard.readText()").endswith(".jpg")
