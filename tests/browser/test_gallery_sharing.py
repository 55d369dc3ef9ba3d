"""The gallery's page: links that expire, another device, a password, and the editor of the demo page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import pyvips
from playwright.sync_api import Browser, Route, expect
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.pages import PHONE, SECONDS, Demo, tab
from tests.local_server import Server

_MAKE_CODE = """() => fetch("/_api/gallery/devices", { method: "POST", headers: { "X-Gallery": "1" } })
    .then((answer) => answer.json()).then(({ code }) => code)"""


@pytest.fixture
def visitor(visitor: Demo) -> Demo:
    """A visitor with one picture, which is open."""
    gallery.choose(visitor, "cat.jpg")
    expect(visitor.locate("#share")).to_be_visible(timeout=SECONDS)
    return visitor


def test_a_link_to_a_result_works_for_everybody_until_it_expires(visitor: Demo) -> None:
    gallery.apply(visitor, "Smart square")
    visitor.locate("#share").click()
    dialog = visitor.page.get_by_role("dialog", name="Share")
    text = dialog.get_by_label("Text to copy")
    expect(text).to_have_value(re.compile(f"^{visitor.origin}/.*expires=.*&signature="))
    url = text.input_value()
    answer = visitor.server.ask(url.removeprefix(visitor.origin))
    image = pyvips.Image.new_from_buffer(answer.body, "")
    assert (answer.status, image.width) == (200, image.height)
    assert visitor.server.ask(url.removeprefix(visitor.origin).replace("expires=2", "expires=3")).status == 403
    dialog.get_by_label("Valid for").select_option(label="30 days")
    expect(text).not_to_have_value(url)
    expect(text).not_to_have_value("")
    dialog.get_by_role("tab", name="<picture>").click()
    expect(text).to_have_value(
        re.compile(f'^<picture><source .*srcset="{visitor.origin}/.*<img src="{visitor.origin}/')
    )
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == text.input_value()


def test_a_code_brings_the_pictures_to_another_device_once(visitor: Demo, browser: Browser, served: Server) -> None:
    visitor.page.get_by_role("button", name="Other device").click()
    expect(visitor.locate("#device-qr")).to_be_visible()
    assert visitor.locate("#device-qr").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    url = visitor.locate("#device-url").inner_text()
    with tab(browser, served, PHONE) as phone:
        gallery_url = url.removeprefix(phone.origin + gallery.HOME)
        phone.page.goto(phone.origin + gallery.HOME + gallery_url)
        dialog = phone.page.get_by_role("dialog")
        expect(dialog).to_contain_text("only if the code is from your own device")
        assert phone.page.url == phone.origin + gallery.HOME
        dialog.get_by_role("button", name="Show them").click()
        expect(gallery.shot(phone, "cat.jpg")).to_be_visible()
        gallery.choose(phone, "coffee.jpg")
        expect(phone.locate("#share")).to_be_visible(timeout=SECONDS)
    gallery.open_gallery(visitor)
    assert sorted(gallery.names(visitor)) == ["cat.jpg", "coffee.jpg"]
    with tab(browser, served, wants="403") as third:
        third.page.goto(third.origin + gallery.HOME + gallery_url)
        third.page.get_by_role("dialog").get_by_role("button", name="Show them").click()
        expect(third.page.get_by_role("alert")).to_contain_text("This code is not valid any more")
        expect(third.locate("#usage-text")).to_have_text("0 of 50 used")


def test_a_code_of_somebody_else_is_not_taken_without_consent(visitor: Demo, browser: Browser, served: Server) -> None:
    visitor.page.get_by_role("button", name="Other device").click()
    expect(visitor.locate("#device-url")).to_be_visible()
    url = visitor.locate("#device-url").inner_text()
    with tab(browser, served) as other:
        gallery.open_gallery(other)
        gallery.keep(other, "coffee.jpg")
        other.page.goto("about:blank")
        other.page.goto(url)
        dialog = other.page.get_by_role("dialog")
        expect(dialog).to_contain_text("This device has a picture of its own.")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        other.page.keyboard.press("Enter")
        expect(gallery.shot(other, "coffee.jpg")).to_be_visible()
        assert gallery.names(other) == ["coffee.jpg"]


def test_a_site_with_a_password_asks_for_it_once(visit: Open, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame")
    served = gallery.serving_gallery(
        tmp_path, GALLERY_PASSWORD_FILE=str(tmp_path / "password"), GALLERY_RECIPES="smaller"
    )
    with served as server, visit(server, wants="403") as demo:
        told: list[str] = []
        demo.page.on("console", lambda message: told.append(message.text))
        demo.page.goto(demo.origin + gallery.HOME)
        expect(demo.page.get_by_role("heading", name="This gallery has a password")).to_be_visible()
        expect(demo.locate("#home")).to_be_hidden()
        field = demo.page.get_by_label("Password", exact=True)
        expect(field).to_be_focused()
        field.fill("a guess")
        field.press("Enter")
        expect(demo.page.get_by_role("alert")).to_have_text("This is not the password.")
        field.fill("open sesame")
        field.press("Enter")
        expect(demo.locate("#welcome")).to_be_visible()
        gallery.keep(demo, "cat.jpg")
        gallery.open_gallery(demo)
        assert gallery.names(demo) == ["cat.jpg"]
        assert not [each for each in told if "username" in each]  # Chromium's hint for managers of passwords
        # Another device of the same visitor does not need it again.
        code = demo.page.evaluate(_MAKE_CODE)
        with tab(browser, server) as phone:
            phone.page.goto(f"{phone.origin}{gallery.HOME}#code={code}")
            phone.locate("#sure-yes").click()
            expect(phone.locate("html[data-listed=true]")).to_be_attached()
            assert gallery.names(phone) == ["cat.jpg"]


def test_fine_tuning_begins_with_the_result_and_brings_the_edits_back(visitor: Demo) -> None:
    gallery.apply(visitor, "Smart square")
    visitor.page.get_by_role("link", name="Fine-tune").click()
    visitor.page.wait_for_url("**/_demo/?picture=*")
    expect(visitor.locate("html[data-ready=true]")).to_be_attached(timeout=SECONDS)
    visitor.settled()
    expect(visitor.locate("#kept-name")).to_have_text("cat.jpg")
    assert visitor.size() == (1080, 1080)
    assert visitor.locate("#fact-original").inner_text() == "451 × 300 · 30.4 kB · JPEG"
    for hidden in ("#source", "#copy", ".images"):
        expect(visitor.locate(hidden)).to_be_hidden()
    visitor.card("grayscale").get_by_role("switch").click()
    visitor.settled()
    visitor.page.reload()  # the edits are in the address
    expect(visitor.locate("html[data-ready=true]")).to_be_attached(timeout=SECONDS)
    visitor.settled()
    expect(visitor.card("grayscale").get_by_role("switch")).to_be_checked()
    visitor.page.get_by_role("button", name="Keep in the gallery").click()
    expect(visitor.page).to_have_url(re.compile(f"{gallery.HOME}#/\\w+/\\w+$"))
    expect(gallery.tile(visitor, "Fine-tuned")).to_have_attribute("aria-pressed", "true", timeout=SECONDS)
    gallery.settle(visitor)
    name, body = gallery.download(visitor, visitor.locate("#download"))
    assert name == "cat – Fine-tuned.jpg"
    image = pyvips.Image.new_from_buffer(body, "")
    assert (image.width, image.height, image.bands) == (1080, 1080, 1)


def test_the_editor_says_that_a_picture_of_somebody_else_does_not_exist(visitor: Demo, visit: Open) -> None:
    picture = visitor.page.url.split("#/")[1].split("/")[0]
    with visit(visitor.server, wants="404") as other:
        gallery.open_gallery(other)
        other.page.goto(f"{other.origin}/_demo/?picture={picture}")
        expect(other.locate("#fault")).to_contain_text("there is no such picture", ignore_case=True)


def test_two_visitors_reach_nothing_of_each_other(visitor: Demo, visit: Open) -> None:
    gallery.apply(visitor, "Smaller file")
    own, result = visitor.page.url.split("#/")[1].split("/")
    with visit(visitor.server, wants="404") as other:
        gallery.open_gallery(other)
        assert gallery.names(other) == []
        other.page.goto(f"{other.origin}{gallery.HOME}#/{own}")
        expect(other.page.get_by_role("alert").first).to_contain_text("does not exist any more")
        expect(other.locate("#home")).to_be_visible()
        base = f"/_api/gallery/pictures/{own}"
        calls = [
            ("GET", base, None), ("PUT", base, {"name": "mine"}), ("PATCH", base, {"name": "mine"}),
            ("DELETE", base, None), ("POST", f"{base}/results", {"recipe": "smaller"}),
            ("DELETE", f"{base}/results/{result}", None), ("POST", f"{base}/preview", {"recipe": "smaller"}),
            ("POST", f"{base}/share", {"seconds": 3600}), ("POST", f"{base}/retry", None),
        ]  # fmt: skip
        script = """async ([method, path, body]) => {
            const headers = { "X-Gallery": "1", "Content-Type": "application/json" };
            const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
            return [answer.status, await answer.text()];
        }"""
        for call in calls:
            status, text = other.page.evaluate(script, list(call))
            assert (status, json.loads(text)["code"]) == (404, "no_such_picture"), call
            assert "cat" not in text
    gallery.open_gallery(visitor)
    assert gallery.names(visitor) == ["cat.jpg"]


def test_a_picture_is_sent_to_the_store_by_a_form_where_the_service_says_so(visit: Open, served: Server) -> None:
    with visit(served) as demo:
        demo.page.route("**/_api/gallery/session", _send_to_store)
        posted: list[str] = []
        demo.page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
        gallery.open_gallery(demo)
        gallery.choose(demo, "cat.jpg")
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        api = f"{demo.origin}/_api/gallery"
        assert posted[:2] == [f"{api}/pictures", f"{api}/uploads"]
        expect(demo.locate("#fact-original")).to_have_text("451 × 300 · 30.4 kB · JPEG")


def _send_to_store(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "uploads": "store"})
