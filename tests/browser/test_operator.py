"""What needs the operator's token asks for it once, and says what for; no secret ever comes into the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, SECONDS, Demo
from tests.local_server import SAMPLES, Server, running, serving
from tests.tools import require_tool

TOKEN, SECRET = "the operator's own token", "what signs the addresses"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A stack with a token, as it is deployed; pictures are open."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    with serving(SAMPLES, OPERATOR_TOKEN_FILE=str(folder / "token")) as server:
        yield server


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A stack as it is after `make deploy`: its owner's pictures first, the samples beside them."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    (folder / "mine").mkdir()
    environment = {
        "SOURCE_BUCKETS": f"mine={(folder / 'mine').as_uri()},samples={SAMPLES.as_uri()}",
        "PUBLIC_SOURCES": "samples",
        "OPERATOR_TOKEN_FILE": str(folder / "token"),
    }
    program = require_tool("image-handler", "make setup")
    with running(program, "serve", "--port", "0", environment=environment) as server:
        yield server


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A stack that shows nothing without a signature."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    files = {"OPERATOR_TOKEN_FILE": str(folder / "token"), "SIGNATURE_SECRET_FILE": str(folder / "secret")}
    with serving(SAMPLES, ENABLE_SIGNATURE="Yes", **files) as server:
        yield server


def _answer(demo: Demo, token: str) -> None:
    dialog = demo.page.get_by_role("dialog")
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Continue").click()


LATE = """
const send = window.fetch;
window.fetch = async (address, options) => {
  const answer = await send(address, options);
  const isLate = String(address).includes("width=300") && !String(address).includes("signature");
  if (isLate) await new Promise((resolve) => setTimeout(resolve, 1500));
  return answer;
};
"""


def test_an_image_is_signed_whose_refusal_arrives_behind_that_of_another_one(visit: Open, signing: Server) -> None:
    with visit(signing, wants="400") as demo:
        demo.page.add_init_script(f'sessionStorage.setItem("operator-token", "{TOKEN}");{LATE}')
        demo.open("/photos/coffee.jpg?width=300")
        assert (demo.fault, demo.size()) == ("", (300, 200))


def test_signed_addresses_once_the_token_is_there(visit: Open, signing: Server) -> None:
    with visit(signing, wants="40[01]") as demo:
        demo.page.goto(f"{demo.origin}/_demo/#/photos/coffee.jpg?width=300")
        dialog = demo.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Signing needs the operator token")
        _answer(demo, "a guess")
        expect(dialog).to_contain_text("not accepted")
        _answer(demo, TOKEN)
        demo.settled()
        assert demo.size() == (300, 200)
        assert demo.path == "/photos/coffee.jpg?width=300"
        expect(demo.locate(".thumb img.there").first).to_be_visible()
        assert signing.ask(demo.path).status == 400
        demo.locate("#sign").click()
        expect(demo.locate("#code")).to_contain_text("signature=")
        assert "expires=" in demo.path
        assert signing.ask(demo.path).status == 200
        demo.locate("#expires").select_option("")
        expect(demo.locate("#code")).not_to_contain_text("expires=")
        expect(demo.locate("#code")).to_contain_text("signature=")
        demo.row("resize", "Width").get_by_role("spinbutton").fill("200")
        demo.settled()
        assert "signature" not in demo.path
        assert demo.size() == (200, 133)
        assert demo.page.get_by_role("dialog").count() == 0
        for kept in (demo.page.content(), demo.page.url, demo.page.evaluate("JSON.stringify({...localStorage})")):
            assert TOKEN not in kept
            assert SECRET not in kept


def test_whoever_has_no_token_is_told_and_not_asked_again(visit: Open, signing: Server) -> None:
    with visit(signing, wants="40[01]") as demo:
        demo.page.goto(f"{demo.origin}/_demo/#/photos/coffee.jpg?width=300")
        demo.page.get_by_role("dialog").get_by_role("button", name="Not now").click()
        expect(demo.locate("#fault")).to_contain_text("Without the token")
        demo.row("resize", "Width").get_by_role("spinbutton").fill("200")
        demo.settled()
        assert demo.page.get_by_role("dialog").count() == 0
        assert "token" in demo.fault
        # The thumbnails wait for it, without asking and without going away.
        assert demo.locate(".thumb").count() > 5
        assert demo.locate(".thumb img.there").count() == 0
        demo.locate("#file").set_input_files(SAMPLES / "photos" / "cat.jpg")
        _answer(demo, f"\u00a0{TOKEN}\u200b")
        demo.settled()
        assert demo.size()[1] == 133


def test_an_open_stack_shows_samples_and_whatever_is_typed(visit: Open, guarded: Server) -> None:
    with visit(guarded, wants="401") as demo:
        demo.open()
        assert demo.page.get_by_role("dialog").count() == 0
        assert demo.path == "/photos/astronaut.jpg?format=auto"
        expect(demo.locate("#images-note")).to_contain_text("Listing the source needs the operator token")
        assert "retina.jpg" in demo.locate(".thumb span").all_inner_texts()
        demo.locate("#key").fill("logo.svg")
        demo.locate("#key").press("Enter")
        demo.settled()
        assert demo.path.startswith("/logo.svg")
        assert demo.fault == ""
        demo.page.get_by_role("button", name="Enter token").click()
        _answer(demo, TOKEN)
        expect(demo.page.get_by_role("button", name="logo.svg")).to_be_visible()


def test_the_samples_of_a_stack_lie_in_a_source_of_their_own(visit: Open, deployed: Server) -> None:
    with visit(deployed, wants="401") as demo:
        keys = {"bucket": "samples", "keys": ["photos/cat.jpg", "logo.png"]}
        demo.page.route("**/samples.json", lambda route: route.fulfill(json=keys))
        demo.open()
        demo.recipe("Watermark")
        demo.settled()
        assert demo.fault == ""
        assert "bucket=samples" in demo.path.partition("watermark.bucket=samples")[0]
        assert "watermark.bucket=samples" in demo.path


def test_a_dropped_file_asks_for_the_token(visit: Open, guarded: Server) -> None:
    with visit(guarded, wants="401") as demo:
        demo.open()
        demo.locate("#file").set_input_files(SAMPLES / "photos" / "cat.jpg")
        expect(demo.page.get_by_role("dialog")).to_contain_text("nothing is stored")
        _answer(demo, TOKEN)
        demo.settled()
        assert demo.size() == (451, 300)
        demo.locate("#file").set_input_files(SAMPLES / "photos" / "rocket.jpg")
        demo.settled()
        assert demo.page.get_by_role("dialog").count() == 0


def test_a_dropped_file_is_edited_and_nothing_is_asked_on_this_machine(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=200&format=webp")
    demo.page.evaluate(
        """async () => {
          const blob = await (await fetch("/photos/cat.jpg")).blob();
          const data = new DataTransfer();
          data.items.add(new File([blob], "my cat.jpg", { type: "image/jpeg" }));
          for (const name of ["dragenter", "drop"]) {
            dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }"""
    )
    demo.settled()
    assert demo.size() == (200, 133)
    assert demo.size("before") == (451, 300)
    assert demo.result.endswith("WebP")
    expect(demo.locate("#code-note")).to_contain_text("A dropped file has no URL")
    demo.page.get_by_role("tab", name="curl").click()
    assert "--data-binary @'my cat.jpg'" in demo.code
    assert "/_api/transform?width=200&format=webp" in demo.code


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    """A server that takes as little as a Lambda function."""
    with serving(SAMPLES, MAX_SOURCE_BYTES="4200000") as server:
        yield server


def test_a_large_file_is_shrunk_in_the_browser_which_says_so(visit: Open, narrow: Server, tmp_path: Path) -> None:
    noise = pyvips.Image.gaussnoise(2600, 2000, mean=128, sigma=60).cast("uchar")
    noise.pngsave(str(tmp_path / "noise.png"))
    assert (tmp_path / "noise.png").stat().st_size > 4_500_000
    with visit(narrow) as demo:
        demo.open("/photos/coffee.jpg?width=200")
        demo.locate("#file").set_input_files(tmp_path / "noise.png")
        expect(demo.locate("#panel-note")).to_contain_text("Reduced in the browser from 5.", timeout=SECONDS)
        demo.settled()
        assert demo.size()[0] == 200


def test_a_large_file_is_sent_whole_to_a_server_that_takes_it(demo: Demo, tmp_path: Path) -> None:
    noise = pyvips.Image.gaussnoise(2600, 2000, mean=128, sigma=60).cast("uchar")
    noise.pngsave(str(tmp_path / "noise.png"), compression=1)
    demo.open("/photos/coffee.jpg?width=200")
    demo.locate("#file").set_input_files(tmp_path / "noise.png")
    expect(demo.locate("#fact-original")).to_contain_text("2 600 × 2 000", timeout=SECONDS)
    expect(demo.locate("#panel-note")).to_be_empty()


def test_what_is_too_large_and_cannot_be_read_is_refused_in_words(visit: Open, narrow: Server, tmp_path: Path) -> None:
    (tmp_path / "video.heic").write_bytes(b"x" * 5_000_000)
    with visit(narrow) as demo:
        demo.open("/photos/coffee.jpg")
        demo.locate("#file").set_input_files(tmp_path / "video.heic")
        expect(demo.locate("#fault")).to_contain_text("this browser cannot read it")


def test_the_file_is_chosen_by_keyboard_too(visit: Open, guarded: Server) -> None:
    with visit(guarded, DESKTOP, wants="401") as demo:
        # The first listener makes the browser hand its choosers over, but nothing waits until it does:
        # a key pressed at once now and then opens the browser's own chooser, which is cancelled without a word.
        demo.page.on("filechooser", lambda _: None)
        demo.open()
        with demo.page.expect_file_chooser() as chooser:
            demo.locate("#file").press("Enter")
        chooser.value.set_files(SAMPLES / "photos" / "cat.jpg")
        expect(demo.page.get_by_role("dialog")).to_contain_text("nothing is stored")
