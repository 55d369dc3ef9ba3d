"""Every command of the documentation works: it runs here, or a model of what it would reach accepts it.

Blocks of shell run as a whole, with stand-ins for AWS, Docker, make and a cluster (`stand_ins.py`); curl asks a real
server. `commands.py` then checks what the stand-ins were called with: against botocore's models, the template, the
Makefile, the Dockerfile and the command line's own parser. Commands within a sentence are checked without running.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.documentation.commands import CHECKS, OTHERS_PROGRAMS, check_settings, faults
from tests.documentation.pages import GUIDES, PAGES, blocks, inline_code, name_of
from tests.documentation.stand_ins import SCRIPTS, make_sandbox, run
from tests.local_server import SAMPLES, Server, serving

from handler.config import SETTINGS

WITH_SHELL = [page for page in PAGES if blocks(page, "sh", "bash")]
STATUSES = {"widht": 400, "/pictures/ID/": 404, "/_api/events": 200}
"""Part of a URL → the status that the text promises; 2xx otherwise."""
SERVERS = {"serve", "worker"}
PROGRAM = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/|deploy/)?(" + "|".join(map(re.escape, CHECKS)) + r") \S")
VARIABLES = {setting.variable for setting in SETTINGS.values()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of `make run`."""
    folder = tmp_path_factory.mktemp("uploads")
    with serving(SAMPLES, "--uploads", str(folder / "local"), "--gallery") as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SHELL, ids=name_of)
def test_the_commands_of_a_page_work(
    page: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = make_sandbox(tmp_path)
    service = f"http://127.0.0.1:{server.port}"
    calls, statuses, ran = run(name_of(page), blocks(page, "sh", "bash"), work, service)
    assert ran.returncode == 0, ran.stderr[-3000:]
    for line in statuses.splitlines():
        _, status, url = line.split(" ", 2)
        expected = next((number for part, number in STATUSES.items() if part in url), None)
        assert int(status) == expected or (expected is None and status[0] == "2"), line
    monkeypatch.chdir(work)
    for call in calls:
        found = faults(call.program, call.arguments)
        if call.program == "image-handler" and call.arguments and call.arguments[0] in SERVERS:
            found += check_settings({name: value for name, value in call.environment.items() if name in VARIABLES})
        assert not found, (str(call), found)


INLINE = sorted({(name_of(page), code) for page in PAGES for code in inline_code(page) if PROGRAM.match(code)})


@pytest.mark.parametrize(("page", "code"), INLINE, ids=[f"{page} {code}" for page, code in INLINE])
def test_a_command_within_a_sentence_could_run(page: str, code: str) -> None:
    del page
    for part in code.split(" | "):
        words = [word for word in shlex.split(part) if not re.fullmatch(r"[A-Z_]+=\S*", word) or "make" in part]
        program = words[0].rpartition("/")[2]
        if program in CHECKS:
            assert faults(program, words[1:], is_mention=True) == []


def test_there_are_commands() -> None:
    """The patterns above still find them."""
    assert len(INLINE) > 40
    assert len(WITH_SHELL) > 10


def test_programs_without_a_check_are_few() -> None:
    assert set(OTHERS_PROGRAMS) < set(SCRIPTS)
    assert all(OTHERS_PROGRAMS.values())


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("aws", "secretsmanager get-secret --secret-id x"),
        ("aws", "secretsmanager get-secret-value --secretid x"),
        ("aws", "lambda update-function-configuration --description x"),
        ("aws", "s3 copy a b"),
        ("make", "deploy STAK=x"),
        ("make", "deploi"),
        ("make", "deploy PARAMETERS='Widht=3'"),
        ("aws.sh", "deploy PresetsOnly=Maybe"),
        ("docker", "build --build-arg FONT=yes ."),
        ("docker", "run --entrypoint image-handler image-handler serve --prot 3"),
        ("image-handler", "serv"),
        ("image-handler", "serve --prot 3"),
        ("pip", "install -r requirements/none.txt"),
        ("python", "-m tests.sheets"),
    ],
)
def test_a_wrong_command_would_be_found(program: str, arguments: str) -> None:
    assert faults(program, shlex.split(arguments))


def test_every_guide_with_a_shell_prompt_has_a_language() -> None:
    """A command in a block without a language would not run here."""
    for page in GUIDES:
        for block in blocks(page, ""):
            first = block.code.split(maxsplit=1)[0] if block.code.split() else ""
            assert first.rpartition("/")[2] not in CHECKS, f"{block}: begin the block with ```sh"
