"""The gallery's page: what it asks the service for, and when; and names of files."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.pages import SECONDS, Demo
from tests.local_server import Server

_PAUSES = """async ({ looks, isReady }) => {
    const { Library } = await import("/_gallery/gallery/library.js");
    const pauses = [];
    const wait = globalThis.setTimeout;
    const page = (status) => ({ pictures: [{ id: "a", status }], cursor: null, used: 1, limit: 9, etag: "e" });
    const api = { pictures: async ({ etag }) => (isReady ? page("ready") : etag ? null : page("processing")) };
    await new Promise((resolve) => {
        globalThis.setTimeout = (call, pause) => {
            pauses.push(Math.round(pause));
            queueMicrotask(pauses.length < looks ? call : resolve);
            return 0;
        };
        new Library(api).look().then(() => isReady && resolve());
    });
    globalThis.setTimeout = wait;
    return pauses;
}"""
"""Returns the pauses between the looks at a picture that stays in process, or that is ready."""


def test_no_cheap_preview_waits_for_an_expensive_one(visit: Open, served: Server) -> None:
    held: list[Route] = []

    def declare_expensive(route: Route) -> None:
        session = route.fetch().json()
        for recipe in session["recipes"]:
            recipe["isExpensive"] = recipe["name"] == "smart-square"  # the first one
        route.fulfill(json=session)

    def hold(route: Route) -> None:
        if route.request.post_data_json == {"recipe": "smart-square", "side": 320}:
            held.append(route)
        else:
            route.continue_()

    with visit(served) as demo:
        demo.page.route("**/_api/gallery/session", declare_expensive)
        demo.page.route("**/preview", hold)
        gallery.open_gallery(demo)
        gallery.choose(demo, "cat.jpg")
        for name in ("Smaller file", "Fewer colours"):
            expect(gallery.tile(demo, name).locator("img")).to_be_visible(timeout=SECONDS)
        expect(gallery.tile(demo, "Smart square").locator("img")).to_be_hidden()
        [route] = held
        route.continue_()
        expect(gallery.tile(demo, "Smart square").locator("img")).to_be_visible(timeout=SECONDS)


def test_the_list_is_asked_for_soon_and_then_less_often(visitor: Demo) -> None:
    pauses = visitor.page.evaluate(_PAUSES, {"looks": 9, "isReady": False})
    assert (pauses[0], pauses[-2:]) == (200, [1000, 1000])
    assert pauses == sorted(pauses)
    assert visitor.page.evaluate(_PAUSES, {"looks": 9, "isReady": True}) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.png", "a.jpg", "a (2).png"], ["a", "a (2)", "a (2) (2)"]),
        (["Cat.png", "cat.png"], ["Cat", "cat (2)"]),
        (["../../etc/passwd", "C:\\x.png"], [".._.._etc_passwd", "C__x"]),
        (["con.png", "COM1.tar.gz", "console.png"], ["_con", "_COM1.tar", "console"]),
        (["   .png", "__proto__.png"], ["picture", "__proto__"]),
    ],
)
def test_the_names_in_an_archive_are_unique_and_valid_everywhere(
    visitor: Demo, names: list[str], expected: list[str]
) -> None:
    read = """async (names) => {
        const { stemOf, unique } = await import("/_gallery/gallery/names.js");
        return unique(names.map((name) => ({ name: stemOf(name) }))).map(({ name }) => name);
    }"""
    assert visitor.page.evaluate(read, names) == expected


def test_a_file_keeps_what_can_be_kept_of_its_name(visitor: Demo) -> None:
    cat = (gallery.PHOTOS / "cat.jpg").read_bytes()
    name = "Screenshot\u202f1 \u202egpj.\x07" + "é" * 300
    visitor.locate("#files").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": cat})
    expect(visitor.locate("#share")).to_be_visible(timeout=SECONDS)
    kept = "Screenshot\u202f1 gpj." + "é" * 183
    assert gallery.list_names(visitor) == [kept[:200]]
    field = visitor.locate("#picture-name")
    field.fill("\u202e evil ")
    field.press("Enter")
    expect(field).to_have_value("evil")
    gallery.back(visitor)
    expect(gallery.shot(visitor, "evil")).to_be_visible()


def test_a_code_is_asked_about_in_a_tab_that_has_the_page_already(visitor: Demo) -> None:
    visitor.page.evaluate("location.hash = '#code=0123'")
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog).to_contain_text("only if the code is from your own device")
    dialog.get_by_role("button", name="Cancel").click()
    expect(visitor.locate("html[data-listed=true]")).to_be_attached(timeout=SECONDS)


def test_what_was_deleted_in_another_tab_cannot_be_tried_again(visit: Open, served: Server) -> None:
    with visit(served, wants="404") as demo:
        gallery.open_gallery(demo)
        gallery.choose(demo, "cat.jpg")
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        identifier = demo.page.evaluate("location.hash").split("/")[1]
        path = f"{demo.origin}/_api/gallery/pictures/{identifier}"
        assert demo.page.request.delete(path, headers={"X-Gallery": "1"}).status == 204
        gallery.tile(demo, "Smaller file").click()
        expect(demo.locate("#fault")).to_contain_text("This picture does not exist any more.")
        expect(demo.locate("#fault button")).to_have_count(0)
