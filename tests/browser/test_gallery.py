"""The gallery's page: what a visitor does with pictures, from the first minute to the last one."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pyvips
from playwright.sync_api import expect
from tests import pictures
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.gallery_page import PHOTOS
from tests.browser.pages import SECONDS, Demo
from tests.weights import require_weights


def test_the_first_minute_is_one_drop_and_one_click(visit: Open, tmp_path: Path) -> None:
    require_weights("optimised/u2net.onnx")
    with gallery.serving_gallery(tmp_path) as server, visit(server) as demo:
        gallery.open_gallery(demo)
        expect(demo.locate("#promise")).to_contain_text("deleted after 30 days")
        expect(demo.locate("#promise")).to_contain_text("Delete all of mine")
        gallery.bring(demo, PHOTOS / "astronaut.jpg")
        tile = gallery.tile(demo, "Cut out")
        # The recipe is previewed on the picture itself.
        expect(tile.locator("img")).to_be_visible(timeout=SECONDS)
        tile.click()
        expect(demo.locate("#download")).to_be_visible(timeout=SECONDS)
        gallery.settle(demo)
        assert demo.size("before") == demo.size("after") == (512, 512)
        expect(demo.locate("#split")).to_be_visible()
        demo.locate("#split").press("End")
        expect(demo.locate("#split")).to_have_attribute("aria-valuetext", "100 percent original")
        name, body = gallery.download(demo, demo.locate("#download"))
        assert name == "astronaut – Cut out.png"
        image = pyvips.Image.new_from_buffer(body, "")
        assert (image.width, image.height, image.hasalpha()) == (512, 512, True)
        assert image[3].min() == 0


def test_several_files_wait_in_a_queue_and_what_is_no_image_is_told(visitor: Demo, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_bytes(b"this is text")
    (tmp_path / "empty.png").write_bytes(b"")
    gallery.bring(visitor, PHOTOS / "cat.jpg", PHOTOS / "coffee.jpg", tmp_path / "notes.png", tmp_path / "empty.png")
    queue = visitor.page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("listitem").filter(has_text="empty.png")).to_contain_text("This file is empty.")
    for name in ("cat.jpg", "coffee.jpg"):
        expect(gallery.shot(visitor, name)).to_have_attribute("data-status", "ready", timeout=SECONDS)
    refused = gallery.shot(visitor, "notes.png")
    expect(refused.locator(".badge")).to_have_text("Refused", timeout=SECONDS)
    expect(refused.locator(".reason")).to_contain_text("not an image that the service can read")
    expect(visitor.locate("#usage-text")).to_have_text("3 of 50 used")
    queue.get_by_role("button", name="Remove empty.png from the list").click()
    expect(queue).to_be_hidden()


def test_a_duplicate_offers_the_earlier_picture(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg")
    gallery.choose(visitor, "cat.jpg")
    queue = visitor.page.get_by_role("region", name="Uploads")
    expect(queue).to_contain_text("You have this picture already, as “cat.jpg”.")
    queue.get_by_role("button", name="Keep both").click()
    expect(visitor.locate(".shot")).to_have_count(2)
    gallery.choose(visitor, "cat.jpg")
    queue.get_by_role("button", name="Open the earlier one").click()
    expect(visitor.locate("#picture")).to_be_visible()
    expect(visitor.locate("#picture-name")).to_have_value("cat.jpg")
    assert visitor.locate(".shot").count() == 2


def test_a_picture_can_be_pasted(visitor: Demo) -> None:
    gallery.bring(visitor, PHOTOS / "cat.jpg", event="paste")
    expect(visitor.locate("#share")).to_be_visible(timeout=SECONDS)
    expect(visitor.locate("#fact-original")).to_have_text("451 × 300 · 30.4 kB · JPEG")


def test_a_file_that_the_browser_cannot_show_is_shown_by_the_service(visitor: Demo, tmp_path: Path) -> None:
    (tmp_path / "scan.tiff").write_bytes(pictures.scene(300, 200).tiffsave_buffer())
    gallery.choose(visitor, tmp_path / "scan.tiff")
    expect(visitor.locate("#before")).to_be_visible(timeout=SECONDS)
    assert visitor.size("before") == (300, 200)
    expect(visitor.locate("#fact-original")).to_contain_text("TIFF")


def test_the_saving_is_that_of_the_real_bytes(visitor: Demo) -> None:
    gallery.choose(visitor, "cat.jpg")
    saving = visitor.locate('[data-tile="smaller"] .tile-saving')
    expect(saving).not_to_be_empty(timeout=SECONDS)
    gallery.apply(visitor, "Smaller file")
    _, body = gallery.download(visitor, visitor.locate("#download"))
    original = (PHOTOS / "cat.jpg").stat().st_size
    expected = f"−{round((1 - len(body) / original) * 100)} %"
    assert saving.inner_text() == visitor.locate("#saving").inner_text() == expected
    assert pyvips.Image.new_from_buffer(body, "").get("vips-loader") == "webpload_buffer"


def test_the_history_shows_renames_and_finds(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg", "coffee.jpg")
    assert sorted(gallery.names(visitor)) == ["cat.jpg", "coffee.jpg"]
    shot = gallery.shot(visitor, "cat.jpg")
    expect(shot).to_contain_text("451 × 300 · 30.4 kB")
    expect(shot).to_contain_text("just now")
    shot.locator(".shot-image").click()
    gallery.apply(visitor, "Fewer colours")
    gallery.back(visitor)
    expect(shot.get_by_role("link", name="Open cat.jpg with its result: Fewer colours")).to_be_visible()
    assert shot.locator("img").count() == 2
    name = shot.get_by_label("Name of the picture")
    name.fill("Tiger ✓")
    name.press("Escape")
    expect(name).to_have_value("cat.jpg")
    name.fill("Tiger ✓")
    name.press("Enter")
    expect(gallery.shot(visitor, "Tiger ✓")).to_be_visible()
    visitor.page.get_by_role("searchbox").fill("tig")
    expect(visitor.locate(".shot")).to_have_count(1)
    visitor.page.get_by_role("searchbox").fill("nothing like it")
    expect(visitor.locate("#nothing")).to_have_text("No picture is called “nothing like it”.")
    gallery.open_gallery(visitor)
    assert sorted(gallery.names(visitor)) == ["Tiger ✓", "coffee.jpg"]


def test_several_pictures_get_a_recipe_and_are_saved_as_an_archive(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg", "coffee.jpg", "rocket.jpg")
    for name in ("cat.jpg", "coffee.jpg"):
        gallery.shot(visitor, name).get_by_role("checkbox", name=f"Select {name}").check()
    expect(visitor.locate("#chosen-count")).to_have_text("2 selected")
    visitor.page.get_by_label("Apply a recipe…").select_option("smart-square")
    expect(visitor.locate(".toast").filter(has_text="Smart square: done for 2 pictures.")).to_be_visible(
        timeout=SECONDS
    )
    expect(visitor.locate(".shot .pair-view")).to_have_count(2)
    visitor.page.get_by_role("button", name="Select all").click()
    name, body = gallery.download(visitor, visitor.page.get_by_role("button", name="ZIP"))
    assert name == "pictures.zip"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert sorted(archive.namelist()) == ["cat – Smart square.jpg", "coffee – Smart square.jpg", "rocket.jpg"]
        assert archive.testzip() is None
        assert archive.read("rocket.jpg") == _stored(visitor, "rocket.jpg")
        square = pyvips.Image.new_from_buffer(archive.read("cat – Smart square.jpg"), "")
        assert square.width == square.height


def _stored(demo: Demo, name: str) -> bytes:
    """Return the original of a picture as the service serves it."""
    listed = demo.page.request.get(f"{demo.origin}/_api/gallery/pictures", headers={"X-Gallery": "1"}).json()
    [url] = [each["original"]["url"] for each in listed["pictures"] if each["name"] == name]
    return demo.page.request.get(demo.origin + url).body()


def test_an_archive_is_made_in_memory_where_no_worker_is_allowed(visitor: Demo) -> None:
    visitor.page.evaluate("void (navigator.serviceWorker.register = () => Promise.reject(new Error('not allowed')))")
    gallery.keep(visitor, "cat.jpg", "coffee.jpg")
    visitor.page.get_by_role("button", name="Select all").click()
    _, body = gallery.download(visitor, visitor.page.get_by_role("button", name="ZIP"))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert sorted(archive.namelist()) == ["cat.jpg", "coffee.jpg"]


def test_a_deletion_can_be_undone_and_is_sent_when_the_page_is_left(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg", "coffee.jpg", "rocket.jpg")
    gallery.shot(visitor, "cat.jpg").get_by_role("button", name="Delete cat.jpg").click()
    expect(gallery.shot(visitor, "cat.jpg")).to_have_count(0)
    expect(visitor.locate("#usage-text")).to_have_text("2 of 50 used")
    visitor.page.get_by_role("button", name="Undo").click()
    expect(gallery.shot(visitor, "cat.jpg")).to_be_visible()
    for name in ("cat.jpg", "coffee.jpg"):
        gallery.shot(visitor, name).get_by_role("checkbox").check()
    visitor.locate("#chosen").get_by_role("button", name="Delete").click()
    expect(visitor.locate(".toast")).to_contain_text("2 pictures are deleted.")
    visitor.page.goto("about:blank")  # within the ten seconds
    until = time.monotonic() + 60
    while gallery.list_names(visitor) != ["rocket.jpg"]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_deletion_is_sent_after_ten_seconds(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg")
    visitor.page.clock.install()
    gallery.shot(visitor, "cat.jpg").get_by_role("button", name="Delete cat.jpg").click()
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.method))
    visitor.page.clock.run_for(9_000)
    assert "DELETE" not in sent
    with visitor.page.expect_response(lambda response: response.request.method == "DELETE") as answered:
        visitor.page.clock.run_for(1_500)
    assert answered.value.status == 204


def test_a_result_is_deleted_and_the_original_stays(visitor: Demo) -> None:
    gallery.choose(visitor, "cat.jpg")
    expect(visitor.locate("#share")).to_be_visible(timeout=SECONDS)
    gallery.apply(visitor, "Smart square")
    gallery.apply(visitor, "Smaller file")
    visitor.page.get_by_role("button", name="Delete the result: Smaller file").click()
    expect(visitor.page.get_by_role("button", name="Delete the result: Smaller file")).to_have_count(0)
    expect(gallery.tile(visitor, "Smart square").locator("svg")).to_be_visible()
    gallery.open_gallery(visitor)
    link = visitor.page.get_by_role("link", name="Open cat.jpg with its result: Smart square")
    expect(link).to_be_visible()
    link.click()
    gallery.settle(visitor)
    assert visitor.size("before") == (451, 300)


def test_everything_of_a_visitor_is_deleted_with_the_cookie(visitor: Demo) -> None:
    gallery.keep(visitor, "cat.jpg", "coffee.jpg")
    for name in ("cat.jpg", "coffee.jpg"):
        # A thumbnail that is still loading when its picture is deleted is a 404.
        expect(gallery.shot(visitor, name).locator("img").first).to_have_js_property("complete", True, timeout=SECONDS)
    before = visitor.page.context.cookies()
    visitor.page.get_by_role("button", name="Delete all of mine").click()
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your 2 pictures")
    dialog.get_by_role("button", name="Cancel").click()
    assert len(gallery.names(visitor)) == 2
    visitor.page.get_by_role("button", name="Delete all of mine").click()
    dialog.get_by_role("button", name="Delete all").click()
    expect(visitor.locate(".toast")).to_have_text("Everything of yours is deleted.")
    expect(visitor.locate("#usage-text")).to_have_text("0 of 50 used")
    assert [each["value"] for each in visitor.page.context.cookies()] != [each["value"] for each in before]
