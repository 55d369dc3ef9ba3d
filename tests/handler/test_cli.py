"""The command line, as a user starts it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.command_line import image_handler, refused

from features import CATALOGUE, by_name
from handler.auth.canonical import decode_path, split_query
from handler.auth.signature import sign
from handler.cli.commands import group
from handler.cli.commands import run as run_command
from imaging import Output, fields

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the tests"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET + "\n", encoding="utf-8")
    return path


def test_sign(secret_file: Path) -> None:
    run = image_handler("sign", "/a cat.jpg?width=300&utm_source=x", "--expires", "1h", "--secret-file", secret_file)
    assert (run.returncode, run.stderr) == (0, "")
    raw_path, _, raw_query = run.stdout.strip().partition("?")
    pairs = dict(split_query(raw_query))
    signature = pairs.pop("signature")
    del pairs["utm_source"]
    assert signature == sign(decode_path(raw_path), pairs.items(), SECRET)
    assert re.fullmatch(r"\d{8}T\d{6}Z", pairs["expires"])


def test_the_secret_of_the_environment_signs_too(secret_file: Path) -> None:
    run = image_handler("sign", "/cat.jpg", SIGNATURE_SECRET_FILE=str(secret_file))
    assert run.stdout == f"/cat.jpg?signature={sign('/cat.jpg', (), SECRET)}\n"


def test_an_option_wins_over_the_environment(secret_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("another secret", encoding="utf-8")
    run = image_handler("sign", "/cat.jpg", "--secret-file", other, SIGNATURE_SECRET_FILE=str(secret_file))
    assert run.stdout == f"/cat.jpg?signature={sign('/cat.jpg', (), 'another secret')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cat.jpg",), "begins with a slash"),
        (("/cat.jpg?signature=1",), "`signature` must be left out"),
        (("/cat.jpg", "--expires", "soon"), "such as 90s, 1h or 7d"),
        (("/cat.jpg", "--expires", "999999999w"), "at most 36500 days"),
        (("/cat.jpg", "--secret-id", "some"), "exclude each other"),
        (("/cat.jpg", "--what"), "No such option"),
    ],
)
def test_what_cannot_be_signed(secret_file: Path, arguments: tuple[str, ...], message: str) -> None:
    assert refused(image_handler("sign", *arguments, "--secret-file", secret_file), message)


def test_sign_needs_a_secret() -> None:
    assert refused(image_handler("sign", "/cat.jpg"), "--secret-file or --secret-id")


def test_features() -> None:
    table = image_handler("features").stdout
    for feature in CATALOGUE:
        assert re.search(rf"^{feature.name}\b.*{re.escape(feature.help)}$", table, re.MULTILINE)
    for name, model in (("resize", by_name("resize").params), ("output", Output)):
        shown = image_handler("features", name).stdout
        assert re.findall(r"^(\w+)  +", shown, re.MULTILINE)[1:] == list(fields(model))
    assert refused(image_handler("features", "nothing"), "must be one of")


def test_doctor() -> None:
    run = image_handler("doctor")
    assert (run.returncode, run.stderr) == (0, "")
    for line in ("jpeg +yes +yes", "avif +yes +yes", "heif +yes +no", "svg +yes +no", "bmp +yes +yes", "ico +yes +no"):
        assert re.search(f"^{line}$", run.stdout, re.MULTILINE), line
    assert re.search(r"^pyvips +\d", run.stdout, re.MULTILINE)
    assert re.search(r"^removeBackground +(ready with|has no weights)", run.stdout, re.MULTILINE)
    assert "hint: sources: set SOURCE_BUCKETS" in run.stdout
    assert run.stdout.splitlines()[-1].startswith("All is well: ")


def test_doctor_says_what_does_not_work(tmp_path: Path, secret_file: Path) -> None:
    run = image_handler(
        "doctor", SOURCE_BUCKETS=f"p={tmp_path.as_uri()}", SIGNATURE_SECRET_FILE=str(secret_file),
        ENABLE_SIGNATURE="Yes", WEIGHTS=str(tmp_path / "none"),
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert re.search(r"^signatures +required$", run.stdout, re.MULTILINE)
    assert "hint: removeBackground: run image-handler weights" in run.stdout
    run = image_handler("doctor", SOURCE_BUCKETS=f"p={tmp_path.as_uri()}", SIGNATURE_SECRET_FILE=str(tmp_path / "none"))
    assert run.returncode == 1
    assert "does not work: SIGNATURE_SECRET_FILE must name a file that exists" in run.stdout
    assert run.stdout.splitlines()[-1] == "1 thing does not work."


def test_doctor_uses_the_database_of_records(tmp_path: Path) -> None:
    broken = tmp_path / "records.db"
    broken.write_bytes(b"no database" * 100)
    run = image_handler("doctor", SOURCE_BUCKETS=f"p={tmp_path.as_uri()}", RECORDS=f"sqlite:///{broken}")
    assert run.returncode == 1
    assert "does not work: RECORDS: " in run.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "image-handler" in image_handler("completion", shell).stdout
    offered = image_handler(
        COMP_WORDS="image-handler tran", COMP_CWORD="1", _IMAGE_HANDLER_COMPLETE="bash_complete"
    ).stdout.split()
    assert {"plain,transform", "plain,translate"} <= set(offered)
    everything = image_handler(COMP_WORDS="image-handler ", COMP_CWORD="1", _IMAGE_HANDLER_COMPLETE="bash_complete")
    assert {f"plain,{name}" for name in group.commands} == set(everything.stdout.split())
    words = "image-handler init --for "
    kinds = image_handler(COMP_WORDS=words, COMP_CWORD="3", _IMAGE_HANDLER_COMPLETE="bash_complete").stdout.split()
    assert kinds == ["plain,compose", "plain,stack", "plain,kubernetes"]
    assert refused(image_handler("completion", "tcsh"), "is not one of 'bash', 'zsh', 'fish'")


def test_the_help_of_every_command_has_examples_that_it_understands() -> None:
    for name, command in group.commands.items():
        context = click.Context(command, info_name=name, **group.context_settings)
        text = command.get_help(context)
        assert "..." not in text.replace("]...", "]"), f"the help of {name} is cut"
        examples = re.findall(rf"image-handler {name}\b.*(?:\\\n.*)*", text.partition("Example")[2])
        assert examples, f"the help of {name} has no examples"
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        used = {option for example in examples for option in re.findall(r" (--?[a-z][a-z-]*)", example)}
        assert used <= known, f"an example of {name} has an unknown option"


def test_the_manual_is_the_help_of_the_commands() -> None:
    # In a process of its own: click keeps the help option of the first context that asks a command for it.
    command = [sys.executable, "-m", "handler.cli.manual"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert page == printed, "docs/command-line.md is out of date: make reference"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tranform",), "Did you mean 'transform'?"),
        (("serve", "--imagse", "."), "Did you mean '--images'?"),
        (("features", "reszie"), "perhaps `resize`, got 'reszie'"),
        (("transform", "cat.jpg", "--out", "-", "resize.widht=3"), "perhaps `width`, got '3'"),
        (("transform", "cat.jpg", "--out", "-", "rotaet.angle=3"), "perhaps `rotate`, got 'rotaet'"),
        (("transform", "cat.jpg", "--out", "-", "widht=3"), "perhaps `width`"),
        (("transform", "cat.jpg", "--out", "-", "zzz=3"), "`zzz` must be a known parameter (see"),
        (
            ("transform", "cat.jpg", "--width", "300"),
            "write parameters as in a URL, without dashes: width=…, not --width",
        ),
        (("transform", "cat.jpg", "web.jpg", "width=3"), "a folder for the results, such as --out web"),
        (("completion",), "Choose from: bash, zsh, fish"),
        (("doctor", "--url", "images.example.com"), "--url must be https:// and a host"),
    ],
)
def test_a_mistake_is_answered_with_one_line_and_the_most_similar_name(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "cat.jpg").write_bytes(b"no image, and not read")
    monkeypatch.chdir(tmp_path)
    assert run_command(list(arguments)) == 2
    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert message in printed.err


def test_help_and_version() -> None:
    shown = image_handler("--help").stdout
    assert "transform" in shown
    assert "..." not in shown.partition("Commands:")[2], "the sentence of a command is cut"
    assert re.fullmatch(r"image-handler, version \d\S+\n", image_handler("--version").stdout)
    assert image_handler().returncode == 2
    assert refused(image_handler("nothing"), "No such command")


def test_serve_needs_something_to_serve(tmp_path: Path) -> None:
    assert refused(image_handler("serve"), "pass --images DIR, or set SOURCE_BUCKETS")
    assert refused(image_handler("serve", "--images", tmp_path / "none"), "does not exist")


def test_without_click_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['click'] = None; from handler.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (
        1,
        "image-handler: click is missing: pip install '.[server]' in a checkout\n",
    )


def test_check_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SOURCE_BUCKETS", f"p={tmp_path.as_uri()}")
    assert run_command(["check-settings"]) == 0
    assert capsys.readouterr().out == "the settings are valid\n"
    monkeypatch.setenv("PRESETS", "[")
    monkeypatch.setenv("SOURCE_PATHS", "old/=elsewhere,new")
    monkeypatch.setenv("SIGNATURE_SECRET_FILE", str(tmp_path / "missing"))
    assert run_command(["check-settings"]) == 2
    complaints = capsys.readouterr().err
    assert "PRESETS must be a JSON object or an address such as s3://bucket/key, got '['" in complaints
    assert f"SIGNATURE_SECRET_FILE must name a file that exists, got '{tmp_path / 'missing'}'" in complaints


@pytest.mark.parametrize("url", ["/cat.jpg?widht=300", "/unsafe/300x200/filters:nope(3)/cat.jpg"])
def test_explain_ends_with_status_2_for_a_url_that_is_refused(url: str) -> None:
    run = image_handler("explain", url)
    assert run.returncode == 2
    [ignored] = json.loads(run.stdout)["ignored"]
    assert run.stderr == f"refused: {ignored['message']}\n"
    run = image_handler("explain", url, COMPATIBILITY="lenient")
    told = json.loads(run.stdout)["ignored"]
    assert (run.returncode, run.stderr, told) == (0, "", [ignored])
