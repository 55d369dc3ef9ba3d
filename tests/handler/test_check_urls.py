"""`image-handler check-urls` says what becomes of each URL of a list or an access log, with totals."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import pictures

from handler.cli.commands import run

URLS = """\
https://cdn.example/cat.jpg?width=300px
/unsafe/filters:gifv()/cat.jpg
/cat.jpg?width=30
/cat.jpg?width=30
/cat.jpg?blur=0
/s3:other/cat.jpg
/nosuch.jpg
"""
WEB_SERVER = """\
192.0.2.1 - - [29/Nov/2026:10:00:00 +0000] "GET /fit-in/30x30/cat.jpg HTTP/1.1" 200 99 "https://ref.example/page" "UA"
192.0.2.1 - - [29/Nov/2026:10:00:00 +0000] "POST /_api/purge HTTP/1.1" 200 99 "-" "UA"
h2 2026-11-29T10:00:00Z app/lb 192.0.2.1:1 "GET https://cdn.example:443/cat.jpg?width=9 HTTP/2.0" "UA" TLS
"""
CLOUDFRONT = """\
#Version: 1.0
#Fields: date cs-method cs-uri-stem sc-status cs-uri-query
2026-11-29\tGET\t/cat.jpg\t200\twidth=9
2026-11-29\tHEAD\t/cat.jpg\t200\t-
2026-11-29\tPUT\t/cat.jpg\t200\t-
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    monkeypatch.setenv("SOURCE_BUCKETS", f"p=file://{tmp_path}")
    return tmp_path


def check(folder: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, list[str], str]:
    """Return the exit status, the outcome of each URL with the URL, and the totals."""
    (folder / "urls.txt").write_text(text)
    status = run(["check-urls", *options, str(folder / "urls.txt")])
    told = capsys.readouterr()
    return status, [" ".join(line.split("\t")[:2]) for line in told.out.splitlines() if "\t" in line], told.err


def test_strict_mode_refuses_what_lenient_mode_ignores(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, outcomes, totals = check(folder, capsys, URLS)
    assert status == 1
    assert outcomes[:2] == ["refused /cat.jpg?width=300px", "refused /unsafe/filters:gifv()/cat.jpg"]
    assert outcomes[2] == "ok /cat.jpg?width=30"
    assert "7 requests" in totals
    assert "3 ok (42.9%)" in totals
    assert "1 refused: 400 BadRequest: filters in strict mode alone: filters:gifv" in totals


def test_lenient_mode_names_what_it_ignores(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPATIBILITY", "lenient")
    status, outcomes, totals = check(folder, capsys, URLS)
    expected = ["ignored", "ignored", "ok", "refused", "refused", "ok"]
    assert (status, [each.split()[0] for each in outcomes]) == (1, expected)
    assert "1 ignored: width" in totals
    status, outcomes, _ = check(folder, capsys, URLS, "--fetch")
    assert [each.split()[0] for each in outcomes] == ["ignored", "ignored", "ok", "refused", "refused", "refused"]


def test_nothing_is_read_without_fetch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cat.jpg").unlink()
    assert check(folder, capsys, "/cat.jpg?width=30\n")[0] == 0
    assert check(folder, capsys, "/cat.jpg?width=30\n", "--fetch")[0] == 1


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (WEB_SERVER, ["ok /fit-in/30x30/cat.jpg", "ok /cat.jpg?width=9"]),
        (CLOUDFRONT, ["ok /cat.jpg?width=9", "ok /cat.jpg"]),
    ],
)
def test_access_logs(folder: Path, capsys: pytest.CaptureFixture[str], log: str, expected: list[str]) -> None:
    (folder / "log").write_text(log)
    assert run(["check-urls", str(folder / "log")]) == 0
    assert [line.strip() for line in capsys.readouterr().out.replace("\t", " ").splitlines()] == expected


def test_signatures_are_verified(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from handler.auth.signature import signed_url

    (folder / "secret").write_text("s3cret")
    monkeypatch.setenv("ENABLE_SIGNATURE", "Yes")
    monkeypatch.setenv("SIGNATURE_SECRET_FILE", str(folder / "secret"))
    text = signed_url("/cat.jpg?width=30", "s3cret") + "\n/cat.jpg?width=30\n"
    status, _, totals = check(folder, capsys, text, "--quiet")
    assert status == 1
    assert "1 ok (50.0%)" in totals
    assert "1 refused: 400 AuthorizationQueryParametersError" in totals


def test_paths_are_read_as_they_are_encoded(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIALECTS", "imgproxy")
    _, outcomes, _ = check(
        folder, capsys, "/unsafe/plain/cat.jpg@webp\n/unsafe/plain/cat.jpg@2x\n/unsafe/plain/a%402x\n"
    )
    assert [each.split()[0] for each in outcomes] == ["ok", "refused", "ok"]


def test_settings_without_a_source_are_a_usage_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SOURCE_BUCKETS")
    status, outcomes, error = check(folder, capsys, URLS)
    assert (status, outcomes) == (2, [])
    assert "SOURCE_BUCKETS must name the sources of the URLs" in error
