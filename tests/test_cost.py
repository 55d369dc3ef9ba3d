"""docs/cost.md: the sums come from its own prices and formula."""

from __future__ import annotations

import re

import pytest
from tests.template.stack import template
from tests.weights import ROOT

PAGE = (ROOT / "docs/cost.md").read_text("utf-8")
DELIVERED, MISSED, GIGABYTES = 1_000_000, 100_000, 50
PROCESSOR = 1769 / 1024
"""GB that come with one processor."""


def price(what: str) -> list[float]:
    """Dollars in the row of the price list that begins so, for one of what its column says."""
    row = re.findall(rf"^\| {re.escape(what)}[^|]*\| ([^|]+) \|", PAGE, re.MULTILINE)[0]
    units = {"per 10,000": 1e4, "per million": 1e6, "per 1,000": 1e3}
    unit = next((size for name, size in units.items() if name in row), 1.0)
    return [float(number) / unit for number in re.findall(r"\d+\.\d+", row)]


def rows(page: str, heading: str) -> dict[str, list[str]]:
    lines = page.split(heading)[1].splitlines()
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {name: values for name, *values in cells}


def cost() -> dict[str, tuple[float, float]]:
    """Each line, for this handler and for AWS's own."""
    arm, intel = price("Lambda, time")
    ours, theirs = map(float, re.findall(r"(0\.\d+) s here and (0\.\d+) s for sharp", PAGE)[0])
    both = {
        "CDN requests": DELIVERED * price("CloudFront, HTTPS requests")[0],
        "transfer": GIGABYTES * price("CloudFront, transfer")[0],
        "Lambda, requests": MISSED * price("Lambda, requests")[0],
        "S3": MISSED * price("S3, GET")[0],
        "logs of the API": MISSED * 0.15e-6 * price("CloudWatch Logs, the API's")[0],
        "logs": MISSED * 1e-6 * price("CloudWatch Logs")[0],
    }
    return {
        **{name: (dollars, dollars) for name, dollars in both.items()},
        "edge function": (DELIVERED * price("CloudFront Functions")[0], 0.0),
        "traces": (MISSED * 0.05 * price("X-Ray")[0], 0.0),
        "API": (MISSED * price("API Gateway, HTTP")[0], MISSED * price("API Gateway, REST")[0]),
        "Lambda, time": (MISSED * ours * PROCESSOR * arm, MISSED * theirs * PROCESSOR * intel),
    }


def test_the_page_adds_up() -> None:
    told = rows(PAGE, "## A million images")
    for name, (ours, theirs) in cost().items():
        assert told[name] == [f"{ours:.2f}", f"{theirs:.2f}" if theirs else "–"], name
    for column, total in enumerate(told["total"]):
        lines = [float(told[name][column].replace("–", "0")) for name in cost()]
        assert float(total) == pytest.approx(sum(lines))


def test_heavy_work_costs_two_functions() -> None:
    """The ordinary one waits, and is billed for it."""
    seconds, megabytes, heavy, waiting = (
        float(number.replace(",", ""))
        for number in re.findall(
            r"about (\d) s on the model function \(([\d,]+) MB\),[^:]+: 100,000 of them are ([\d.]+) and ([\d.]+)\.\n",
            PAGE,
        )[0]
    )
    parameters = template()["Parameters"]
    assert megabytes == parameters["HeavyMemorySize"]["Default"]
    second = price("Lambda, time")[0] * 100_000 * seconds
    assert heavy == pytest.approx(second * megabytes / 1024, abs=0.005)
    assert waiting == pytest.approx(second * parameters["MemorySize"]["Default"] / 1024, abs=0.005)


def test_the_readme_says_the_same() -> None:
    told = rows((ROOT / "README.md").read_text("utf-8"), "### What it costs")
    whole = rows(PAGE, "## A million images")
    assert told["total"] == whole["total"]
    for column in (0, 1):
        lines = [float(values[column]) for name, values in told.items() if re.fullmatch(r"[\d.]+", values[column])]
        assert sum(lines) == pytest.approx(2 * float(told["total"][column]))
