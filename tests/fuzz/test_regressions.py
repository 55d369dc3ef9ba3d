"""What was found once stays mended; and the tool finds what is planted."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fuzz.__main__ import PARTS, Run, fuzz
from tests.fuzz.asking import Asking
from tests.fuzz.case import Case, Outcome, keep, kept
from tests.fuzz.judge import Judge

from handler import app

REGRESSIONS = kept()


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    with Asking() as started:
        yield started


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_was_found_stays_mended(asking: Asking, name: str) -> None:
    assert asking.ask(REGRESSIONS[name]).fault == ""


@pytest.mark.parametrize("part", PARTS)
def test_a_few_of_each_part(part: str) -> None:
    run = fuzz(part, "1", seconds=60, cases=60)
    assert run.tried > 0
    assert run.good > 0
    assert list(run.found) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_seed_gives_the_same_cases_each_time(part: str) -> None:
    first, again = (PARTS[part](random.Random("1:x")) for _ in range(2))
    assert first == again
    assert first != PARTS[part](random.Random("2:x"))


def test_a_case_is_kept_and_read(tmp_path: Path) -> None:
    case = Case("containers", "/mutated.bin?info=true", body=bytes(range(256)))
    path = keep(case, tmp_path)
    assert kept(tmp_path) == {path.name: case}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"statusCode": 500, "headers": {}, "body": "out of order", "isBase64Encoded": False}, "500: out of order"),
        ({"statusCode": 400, "headers": {"Content-Type": "application/json"}, "body": "{}", "isBase64Encoded": False},
         "no refusal: {}"),
        ({"statusCode": 0, "headers": {}, "body": "", "isBase64Encoded": False}, "no status: 0"),
        (b"no event", "raised TypeError"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_found(judge: Judge, monkeypatch: pytest.MonkeyPatch, answer: Any, fault: str) -> None:
    monkeypatch.setattr(app, "lambda_handler", lambda *_: answer)
    assert judge.judge(Case("addresses", "/cat.jpg")).fault.startswith(fault)


def test_an_answer_of_another_meaning_is_found(judge: Judge) -> None:
    case = Case("signatures", "/wide.jpg?width=9", original="/cat.jpg?width=9")
    assert judge.judge(case).fault == "accepted with another meaning: 200"
    assert judge.judge(Case("signatures", "/cat.jpg?width=9&", original="/cat.jpg?width=9")).fault == ""


def test_a_process_that_no_longer_draws_is_found(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge.judge(Case("containers", "/mutated.bin", body=b"\xff\xd8\xff spoilt")).fault == ""
    monkeypatch.setattr(judge, "good", (200, b"another picture"))
    assert judge.judge(Case("containers", "/mutated.bin", body=b"\xff\xd8\xff spoilt")).fault.startswith("poisoned")


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("import os; os.kill(os.getpid(), 11)", "crashed: SIGSEGV"),
        ("raise SystemExit(3)", "crashed: status 3"),
        ("import time; time.sleep(600)", "hung: no answer within 1 s"),
    ],
)
def test_a_worker_that_ends_or_hangs_is_found_and_replaced(program: str, fault: str) -> None:
    program = f"import sys; print('here', file=sys.stderr, flush=True); {program}"
    with Asking((sys.executable, "-c", program), patience=1 if "sleep" in program else 60) as asking:
        assert asking.ask(Case("addresses", "/")) == Outcome(fault=fault, detail="here\n")
        assert asking.process is None
        assert asking.ask(Case("addresses", "/")).fault == fault


def test_one_case_of_each_kind_of_fault_is_told() -> None:
    run = Run()
    for number in range(3):
        run.add(Case("addresses", f"/{number}"), Outcome(500, f"500: at {number}"))
    run.add(Case("addresses", "/x"), Outcome(200))
    assert [(case.address, outcome.fault) for case, outcome in run.found.values()] == [("/0", "500: at 0")]
    assert (run.tried, run.good) == (4, 1)
