"""What is copied works: every way the address is written, and a link that reproduces the view."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, Demo, tab
from tests.client import Client, answered, size
from tests.local_server import SAMPLES, Server, serving

WISH = "/photos/coffee.jpg?width=300&height=200&fit=contain&background=goldenrod&rotate.angle=15&blur=2&format=webp"
SAID = WISH.replace("fit=contain&background=goldenrod", "fit=contain&resize.background=goldenrod")


def _copied(demo: Demo, tab: str) -> str:
    demo.page.get_by_role("tab", name=tab, exact=True).click()
    expect(demo.locate("#copy")).to_be_enabled()
    demo.page.wait_for_timeout(300)
    demo.locate("#copy").click()
    expect(demo.locate("#copy")).to_have_text("Copied")
    return str(demo.page.evaluate("navigator.clipboard.readText()"))


def test_the_address_that_is_copied_gives_the_picture_that_is_shown(demo: Demo) -> None:
    demo.open(SAID)
    address = _copied(demo, "URL")
    assert address.startswith(demo.origin + "/photos/coffee.jpg?")
    answer = demo.server.ask(address.removeprefix(demo.origin), Accept="image/webp")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert size(answer.body) == demo.size()


@pytest.mark.parametrize("tab", ["Base64 JSON", "Thumbor"])
def test_in_other_languages(demo: Demo, tab: str) -> None:
    demo.open("/photos/coffee.jpg?width=300&height=200&grayscale=true&format=webp")
    address = _copied(demo, tab)
    assert "?" not in address
    answer = demo.server.ask(address.removeprefix(demo.origin))
    assert (answer.status, size(answer.body)) == (200, (300, 200))


def test_as_markup(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300&blur=2")
    image = _copied(demo, "<img>")
    assert re.fullmatch(r'<img src="[^"]+" width="300" height="200" loading="lazy" alt="">', image)
    picture = _copied(demo, "<picture>")
    sets = re.findall(r'type="image/(\w+)" sizes="300px"\s+srcset="([^"]+)"', picture)
    assert [kind for kind, _ in sets] == ["avif", "webp"]
    for kind, entries in sets:
        for entry in html.unescape(entries).split(","):
            address, width = entry.split()
            answer = demo.server.ask(address.removeprefix(demo.origin))
            assert (answer.status, answer.headers["content-type"]) == (200, f"image/{kind}")
            assert width == f"{size(answer.body)[0]}w" if kind == "webp" else width.endswith("w")


def test_a_height_alone_gives_as_many_widths(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?height=200")
    entries = re.findall(r'image/webp".*?srcset="([^"]+)"', _copied(demo, "<picture>"), re.DOTALL)
    widths = []
    for entry in html.unescape(entries[0]).split(","):
        address, width = entry.split()
        widths.append(width)
        assert width == f"{size(demo.server.ask(address.removeprefix(demo.origin)).body)[0]}w"
    assert widths == ["150w", "300w", "450w", "600w"]


def test_as_a_command(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300&format=webp")
    program, option, name, address = shlex.split(_copied(demo, "curl"))
    assert (program, option, name) == ("curl", "-o", "coffee.webp")
    assert demo.server.ask(address.removeprefix(demo.origin)).status == 200


def test_as_a_test_event(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300&flip=true&blur=2&format=png")
    event = json.loads(_copied(demo, "Lambda event"))
    assert event == {"imageKey": "photos/coffee.jpg", "width": 300, "flip": True, "blur": 2, "format": "png"}
    client = Client({"SOURCE_BUCKETS": f"images={SAMPLES.as_uri()}"})
    assert size(answered(client.invoke(event)).body) == (300, 200)


def test_a_link_reproduces_the_view(visit: Open, server: Server) -> None:
    with visit(server) as demo:
        demo.open()
        demo.page.get_by_role("radio", name="Side by side").check()
        demo.row("resize", "Width").get_by_role("spinbutton").fill("210")
        demo.settled(recorded=True)
        link = demo.page.url
    assert link.endswith("#side/photos/astronaut.jpg?width=210&format=auto")
    with visit(server) as demo:
        demo.open(link.partition("#")[2])
        assert demo.size() == (210, 210)
        expect(demo.row("resize", "Width").get_by_role("spinbutton")).to_have_value("210")
        expect(demo.locate("#modes input[value=side]")).to_be_checked()


def test_the_way_back_leads_to_the_picture_before(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=100")
    demo.page.get_by_role("button", name="cat.jpg").click()
    demo.settled()
    assert demo.path == "/photos/cat.jpg?width=100"
    demo.page.go_back()
    demo.settled(recorded=True)
    assert demo.path == "/photos/coffee.jpg?width=100"


@pytest.mark.parametrize(
    "typed",
    [
        SAID,
        "photos/coffee.jpg?width=300&height=200&fit=contain&blur=2&format=webp",
        "HOST/photos/coffee.jpg?width=300&height=200&fit=contain&blur=2&format=webp",
        "/unsafe/300x200/filters:format(webp)/photos/coffee.jpg",
    ],
)
def test_an_address_of_this_service_is_opened_in_any_language(demo: Demo, typed: str) -> None:
    demo.open("/photos/cat.jpg?width=60")
    demo.locate("#key").fill(typed.replace("HOST", demo.origin.removeprefix("http://")))
    demo.locate("#key").press("Enter")
    demo.settled()
    assert demo.fault == ""
    assert demo.path.startswith("/photos/coffee.jpg?")
    assert "format=webp" in demo.path
    assert demo.size() == ((342, 271) if "rotate" in typed else (300, 200))


def test_an_address_of_another_site_is_told_and_may_be_read_as_one_of_this(demo: Demo) -> None:
    demo.open("/photos/cat.jpg?width=60")
    demo.locate("#key").fill("https://elsewhere.example" + WISH.replace("&background=goldenrod&rotate.angle=15", ""))
    demo.locate("#key").press("Enter")
    expect(demo.locate("#fault")).to_contain_text("belongs to another site, elsewhere.example")
    demo.page.get_by_role("button", name="Read it as an address of this service").click()
    demo.settled()
    assert demo.path.startswith("/photos/coffee.jpg?width=300&height=200&fit=contain&")


def test_a_wrong_value_that_is_typed_is_shown_where_it_belongs(visit: Open, server: Server) -> None:
    with visit(server, wants="400") as demo:
        demo.open("/photos/cat.jpg?width=60")
        demo.locate("#key").fill("/photos/coffee.jpg?blur=0.1")
        demo.locate("#key").press("Enter")
        demo.settled()
        assert "blur.sigma" in demo.fault
        expect(demo.row("blur", "Sigma").get_by_role("spinbutton")).to_have_value("0.1")
        assert demo.path == "/photos/coffee.jpg?blur=0.1"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("react", ["srcSet={[", "width={300} height={200}", 'loading="lazy"']),
        ("next", ["export default function loader", '<Image src="/photos/coffee.jpg?width=300&format=webp"']),
        ("vue", ["<template>", ':srcset="srcset"']),
        ("svelte", ["<img src={url} {srcset}"]),
        ("astro", ["---", "srcset={srcset}"]),
        ("css", ["image-set(", 'type("image/avif"),', "aspect-ratio: 300 / 200;"]),
        ("markdown", ["![coffee.webp](<http"]),
        ("python", ["urlretrieve(", '"coffee.webp"']),
        ("php", ["<?php", "htmlspecialchars($url)"]),
    ],
)
def test_code_of_frameworks(framed: Demo, name: str, parts: list[str]) -> None:
    framed.locate("#frameworks").select_option(name)
    for part in parts:
        expect(framed.locate("#code")).to_contain_text(part)
    addresses = re.findall(re.escape(framed.origin) + r"""(/photos/[^"'>\s]+)""", framed.code)
    assert addresses or name == "next"
    for address in addresses:
        assert framed.server.ask(address).status == 200


def test_code_is_highlighted_in_every_tab(framed: Demo) -> None:
    for name in ("react", "next", "vue", "svelte", "astro", "css", "python", "php"):
        framed.locate("#frameworks").select_option(name)
        expect(framed.locate("#code .value, #code .word")).not_to_have_count(0)
    for name, part, kind in [
        ("<picture>", "<source", "element"), ("<img>", "loading", "name"), ("curl", "-o", "name"),
        ("Lambda event", '"imageKey"', "name"), ("URL", "width", "name"),
    ]:  # fmt: skip
        framed.page.get_by_role("tab", name=name, exact=True).click()
        shown = framed.locate(f"#code .{kind}").filter(has_text=part)
        expect(shown).not_to_have_count(0)
        assert shown.first.evaluate("(part) => getComputedStyle(part).position") == "static", "it stays in the code"


@pytest.fixture(scope="module")
def framed(browser: Browser, server: Server) -> Iterator[Demo]:
    with tab(browser, server) as demo:
        yield demo.open("/photos/coffee.jpg?width=300&format=webp")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_examples_are_a_gallery_of_the_own_image(visit: Open, server: Server, size: tuple[int, int]) -> None:
    with visit(server, size) as demo:
        demo.open("/photos/cat.jpg")
        demo.page.get_by_role("button", name="All examples").click()
        dialog = demo.page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", name="Colour")).to_be_visible()
        expect(dialog.locator(".thumb img.there")).not_to_have_count(0)
        off = dialog.get_by_role("button", name="What moderation finds")
        expect(off).to_be_disabled()
        expect(off).to_contain_text("VISION=rekognition")
        dialog.get_by_role("searchbox").fill("negat")
        expect(dialog.get_by_role("listitem").filter(visible=True)).to_have_count(1)
        dialog.get_by_role("button", name="Negative").click()
        demo.settled()
        assert demo.path == "/photos/cat.jpg?width=320&negate=true"


def test_an_example_of_graphics_keeps_the_image(demo: Demo) -> None:
    demo.open("/photos/cat.jpg")
    demo.page.get_by_role("button", name="All examples").click()
    demo.page.get_by_role("dialog").get_by_role("button", name="Flatten onto a colour").click()
    demo.settled()
    assert demo.path.startswith("/photos/cat.jpg?")


@pytest.mark.parametrize(
    ("languages", "shown"), [({}, []), ({"DIALECTS": "json,thumbor,imgproxy,query"}, ["imgproxy"])]
)
def test_a_language_has_a_tab_where_the_operator_has_switched_it_on(
    visit: Open, languages: dict[str, str], shown: list[str]
) -> None:
    with serving(SAMPLES, **languages) as server, visit(server) as demo:
        demo.open("/photos/coffee.jpg?width=300")
        expect(demo.locate("#tab-thumbor")).to_be_visible()
        for name in ("imgproxy", "imagor"):
            expect(demo.locate(f"#tab-{name}")).to_have_count(1 if name in shown else 0)
        if shown:
            demo.locate("#tab-imgproxy").click()
            expect(demo.locate("#code")).to_contain_text("/insecure/rs:fill:300:0:1")
