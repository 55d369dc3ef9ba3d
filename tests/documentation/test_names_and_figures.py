"""What pages name exists (settings, parameters, outputs, error codes), and figures are those of code and bench/."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.documentation.commands import check_parameters
from tests.documentation.pages import DOCS, GUIDES, ROOT, inline_code, name_of
from tests.template.stack import template

from handler.config import SETTINGS

OURS = {setting.variable for setting in SETTINGS.values()}
ABOUT_OTHERS = {"docs/compatibility.md", "docs/migrate-from-imgproxy.md", "docs/migrate-from-thumbor.md"}
"""Pages that name the settings of other services; tests of the dialects read them."""
NOT_OURS = {
    "INSTALLED_APPS": "a setting of Django",
    "BASE_IMAGE": "deploy/aws.sh reads it",
    "IMAGE_HANDLER_TOKEN": "the command line reads it",
    "PUBLIC_IMAGE": "deploy/aws.sh reads it",
    "SOURCE_BUCKETS": "a variable of make as well",
    "NO_THREATS_FOUND": "a value of GuardDuty",
    "UPDATE_FAILED": "a state of CloudFormation",
    "FONTS_CJK": "an argument of the Dockerfile",
}
CODE = re.compile(r"^\| (\d{3}) `(\w[\w:]+)`", re.MULTILINE)


@cache
def _source() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("page", [page for page in GUIDES if name_of(page) not in ABOUT_OTHERS], ids=name_of)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    named = {match[1] for code in inline_code(page) if (match := re.match(r"([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=|$)", code))}
    assert named - OURS - NOT_OURS.keys() == set()


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_value_of_a_parameter_of_the_stack_is_allowed(page: Path) -> None:
    parameters = template()["Parameters"]
    given = [code for code in inline_code(page) if re.match(r"[A-Z][a-z]+[A-Za-z]*=\S", code)]
    assert [fault for code in given if code.partition("=")[0] in parameters for fault in check_parameters([code])] == []


def test_every_parameter_in_a_table_of_the_guides_exists() -> None:
    parameters = template()["Parameters"]
    values = {value for parameter in parameters.values() for value in parameter.get("AllowedValues", [])}
    known = {*parameters, *template()["Outputs"], *values}
    for name in ("deploy.md", "operate.md", "presets.md", "custom-domain.md", "migrate-from-aws.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        rows = re.findall(r"^\| `([A-Z][a-z]+(?:[A-Z][a-z]+)+)` \|", text, re.MULTILINE)
        of_aws = name == "migrate-from-aws.md"
        assert [row for row in rows if row not in known and not of_aws] == []


def test_every_error_code_of_troubleshooting_is_one_of_the_service() -> None:
    found = CODE.findall((DOCS / "troubleshooting.md").read_text(encoding="utf-8"))
    assert len(found) > 10
    assert [code for _, code in found if f'"{code}"' not in _source()] == []


def _ratios(page: Path, heading: str) -> dict[str, list[str]]:
    section = page.read_text(encoding="utf-8").split(heading)[1]
    return {
        row[0]: list(row[1:])
        for line in section.splitlines()
        if line.startswith("| ") and (row := [cell.strip() for cell in line.strip("|").split("|")]) and " MP " in row[0]
    }


def test_the_comparison_has_the_ratios_of_the_bench() -> None:
    told = _ratios(DOCS / "comparison.md", "## Speed")
    results = (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8")
    measured = re.findall(
        r"^### (.+?)(?: q\d+)?\n\n([\d.]+) of sharp's time.*\nThumbor: ([\d.]+)\.$", results, re.MULTILINE
    )
    assert told == {name: [ours, "1", thumbor] for name, ours, thumbor in measured}


def test_the_prices_are_those_of_the_page_about_cost() -> None:
    cost = (DOCS / "cost.md").read_text(encoding="utf-8")
    (total, theirs) = re.findall(r"\| \*\*total\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\* \|", cost)[0]
    (transfer,) = re.findall(r"^\| transfer \| ([\d.]+) \| [\d.]+ \|$", cost, re.MULTILINE)
    comparison, faq = ((DOCS / name).read_text(encoding="utf-8") for name in ("comparison.md", "faq.md"))
    assert f"{total} dollars, {transfer} of them transfer" in comparison
    assert f"{theirs} dollars, by the same rule" in comparison
    assert f"{total} dollars on AWS, {transfer} of them" in " ".join(faq.split())


def test_the_figures_of_the_questions_are_those_of_the_code() -> None:
    text = " ".join((DOCS / "faq.md").read_text(encoding="utf-8").split())
    by_name = {setting.variable: setting.default for setting in SETTINGS.values()}
    assert f"{int(by_name['MAX_SOURCE_BYTES']) // 10**6} MB and" in text
    assert f"and {int(by_name['MAX_SOURCE_PIXELS']) // 10**6} megapixels" in text
    assert f"results {int(by_name['MAX_RESULT_SIDE']):,} pixels a side" in text
    ratios = [float(ratio) for ratio, *_ in _ratios(DOCS / "comparison.md", "## Speed").values()]
    assert f"{min(ratios)} to {max(ratios)} of the time of sharp" in text


def test_the_counts_of_the_comparison_are_those_of_compatibility() -> None:
    text = " ".join((DOCS / "comparison.md").read_text(encoding="utf-8").split())
    page = (DOCS / "compatibility.md").read_text(encoding="utf-8")
    sharp, thumbor = re.findall(r"compares about (\d+) requests", page)
    (imgproxy,) = re.findall(r"The tests hold (\d+) requests", page)
    assert (
        f"about {sharp} requests with sharp, {thumbor} with Thumbor and {int(imgproxy):,} with imgproxy's rules" in text
    )
