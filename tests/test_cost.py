"""docs/cost.md: the sums come from its own prices and formula."""

from __future__ import annotations

import re

import pytest
from tests.template.stack import template
from tests.weights import ROOT

from handler.aws.secrets import KEPT_SECONDS
from handler.uploads.jobs import estimate as estimates
from handler.uploads.jobs.estimate import Workload, estimate

PAGE = (ROOT / "docs/cost.md").read_text("utf-8")
DELIVERED, MISSED, GIGABYTES = 1_000_000, 100_000, 50
CALLS_OF_A_SECRET = 2 * 30 * 24 * 60 * 60 / KEPT_SECONDS
"""In a month of one instance that is always busy: of the origin secret, the current value and the previous one."""
PROCESSOR = 1769 / 1024
"""GB that come with one processor."""


def price(what: str) -> list[float]:
    """Dollars in the row of the price list that begins so, for one of what its column says."""
    row = re.findall(rf"^\| {re.escape(what)}[^|]*\| ([^|]+) \|", PAGE, re.MULTILINE)[0]
    units = {"per 10,000": 1e4, "per million": 1e6, "per 1,000": 1e3}
    unit = next((size for name, size in units.items() if name in row), 1.0)
    return [float(number) / unit for number in re.findall(r"\d+\.\d+", row)]


def rows(page: str, heading: str) -> dict[str, list[str]]:
    lines = page.split(heading)[1].split("\n## ", maxsplit=1)[0].splitlines()
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
        "secrets": (2 * price("Secrets Manager")[0], 0.0),
        "secrets, calls": (CALLS_OF_A_SECRET * price("Secrets Manager, calls")[0], 0.0),
        "API": (MISSED * price("API Gateway, HTTP")[0], MISSED * price("API Gateway, REST")[0]),
        "Lambda, time": (MISSED * ours * PROCESSOR * arm, MISSED * theirs * PROCESSOR * intel),
    }


def test_snapshots_cost_what_the_page_says() -> None:
    parameters = template()["Parameters"]
    gigabytes = [int(parameters[name]["Default"]) / 1024 for name in ("MemorySize", "HeavyMemorySize")]
    month = 30 * 24 * 60 * 60
    (kept,) = re.findall(r"which is (\d+\.\d\d) a month, and a restore", PAGE)
    assert float(kept) == pytest.approx(sum(gigabytes) * month * price("SnapStart, snapshots")[0], abs=0.01)
    (restored,) = re.findall(r"function costs (0\.\d+)", PAGE)
    assert float(restored) == pytest.approx(gigabytes[0] * price("SnapStart, restores")[0], abs=0.00001)


def test_the_page_adds_up() -> None:
    told = rows(PAGE, "## A million images")
    for name, (ours, theirs) in cost().items():
        assert told[name] == [f"{ours:.2f}", f"{theirs:.2f}" if theirs else "–"], name
    for column, total in enumerate(told["total"]):
        # Secrets do not grow with requests, and one column alone has them: they are outside of the sums.
        lines = [float(told[name][column].replace("–", "0")) for name in cost() if not name.startswith("secrets")]
        assert float(total) == pytest.approx(sum(lines))


def test_requests_that_take_longer_cost_their_seconds() -> None:
    table = rows(PAGE, "## Requests that take longer, or less")
    del table["request"]
    assert len(table) == 8
    second = PROCESSOR * price("Lambda, time")[0]
    assert {name: dollars for name, (_, dollars) in table.items()} == {
        name: f"{100_000 * float(seconds) * second:.2f}" for name, (seconds, _) in table.items()
    }


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
    readme = (ROOT / "README.md").read_text("utf-8")
    (totals,) = re.findall(
        r"A million images cost about ([\d.]+) dollars here, and ([\d.]+) with AWS's own handler", readme
    )
    assert list(totals) == rows(PAGE, "## A million images")["total"]


def test_the_estimate_of_a_backfill_has_the_prices_of_the_page() -> None:
    assert {
        "LAMBDA_SECOND": price("Lambda, time")[0],
        "LAMBDA_REQUEST": price("Lambda, requests")[0],
        "S3_LIST": price("S3, LIST")[0],
        "S3_GET": price("S3, GET")[0],
        "S3_PUT": price("S3, PUT")[0],
        "LOGS_GIGABYTE": price("CloudWatch Logs")[0],
        "BATCH_JOB": price("S3 Batch Operations")[0],
        "BATCH_OBJECT": price("S3 Batch Operations, objects")[0],
        "BATCH_LISTED": price("S3 Batch Operations, list")[0],
        "DYNAMODB_WRITE": price("DynamoDB, writes")[0],
        "DYNAMODB_READ": price("DynamoDB, reads")[0],
    } == pytest.approx({name: value for name, value in vars(estimates).items() if name.isupper() and name[0] != "_"})


def test_a_hundred_million_originals_add_up() -> None:
    """From the prices and the requests of one original, and as the command estimates them."""
    section = PAGE.split("## A hundred million originals")[1].split("\n## ")[0]
    count = 10**8
    requests = {
        name: [int(cell.replace(",", "")) for cell in cells]
        for name, cells in rows(section.split("Dollars:")[0], "Requests:").items()
        if len(cells) == 2 and cells[0].isdigit()
    }
    assert len(requests) == 6
    assert all(total == each * count for each, total in requests.values())
    each = {name: values[0] for name, values in requests.items()}
    memory, seconds = (
        float(number.replace(",", "")) for number in re.findall(r"has ([\d,]+) MB and takes (\d) s", section)[0]
    )
    gets = each["S3, GET of originals"] + each["S3, HEAD of variants"]
    dollars = {
        "S3": count * (gets * price("S3, GET")[0] + each["S3, PUT of variants"] * price("S3, PUT")[0]),
        "Lambda": count * (price("Lambda, requests")[0] + seconds * memory / 1024 * price("Lambda, time")[0]),
        "logs": count * 1e-6 * price("CloudWatch Logs")[0],
        "records": count
        * sum(each[f"DynamoDB, {kind} units"] * price(f"DynamoDB, {kind}s")[0] for kind in ("write", "read")),
        "S3 Batch Operations": price("S3 Batch Operations")[0]
        + count * (price("S3 Batch Operations, objects")[0] + price("S3 Batch Operations, list")[0]),
    }
    told = {
        name: float(cells[0].replace(",", ""))
        for name, cells in rows(section, "Dollars:").items()
        if cells[0][0].isdigit()
    }
    assert told.pop("total") == pytest.approx(sum(dollars.values()), abs=0.005)
    assert told == pytest.approx(dollars, abs=0.005)
    work = Workload(originals=count, variants=4, seconds=seconds, memory=int(memory), listed=count, is_batch=True)
    result = estimate(work)
    assert result.dollars == pytest.approx(dollars)
    assert {name: total for name, (_, total) in requests.items()} == {
        name: total for name, total in result.requests.items() if total
    }
    slow, fast = re.findall(r"Hours: (\d+) at a concurrency of 100, and ([\d.]+) at 1,000", section)[0]
    assert (float(slow), float(fast)) == pytest.approx((result.hours_at(100), result.hours_at(1000)), rel=0.002)


def test_the_gallery_adds_up() -> None:
    section = PAGE.split("\n## A gallery\n")[1].split("\n## ")[0]
    each = {name: float(cells[0]) for name, *cells in _cells(section) if re.fullmatch(r"[\d.]+", cells[0])}
    told = {name: cells[0] for name, *cells in _cells(section.split("in dollars:")[1])}
    # A cache miss takes what the first example counts, which is from the same run of the bench.
    (miss,) = re.findall(r"cache misses of (0\.\d+) s", section)
    assert re.findall(r"(0\.\d+) s here and", PAGE)[0] == miss
    assert f"\n| 12 MP JPEG → 800 px WebP q80 | {miss} | " in (ROOT / "bench/RESULTS.md").read_text("utf-8")
    calls, shown, missed, models, seconds, puts, gets, megabytes, writes, reads = [*each.values()][:10]
    parameters, count = template()["Parameters"], 10_000
    second = price("Lambda, time")[0]
    heavy, uploading = (parameters[name]["Default"] / 1024 * second for name in ("HeavyMemorySize", "UploadMemorySize"))
    api, functions = count * (calls + missed), count * (calls + missed + models + 1)
    lines = {
        "CDN requests": count * (calls + shown) * price("CloudFront, HTTPS requests")[0],
        "edge function": count * (calls + shown) * price("CloudFront Functions")[0],
        "transfer": count * shown * 1e-4 * price("CloudFront, transfer")[0],
        "API": api * price("API Gateway, HTTP")[0],
        "Lambda, requests": functions * price("Lambda, requests")[0],
        # The first function waits for the model function.
        "Lambda, time": count * (calls * 0.05 + missed * float(miss) + models * 2) * PROCESSOR * second,
        "model function": count * models * 2 * heavy,
        "upload function": count * seconds * uploading,
        "S3": count * (puts * price("S3, PUT")[0] + gets * price("S3, GET")[0]),
        "storage": count * megabytes / 1000 * price("S3, storage")[0],
        "records": count * (writes * price("DynamoDB, writes")[0] + reads * price("DynamoDB, reads")[0]),
        "queue": (3 * count + 648_000) * price("SQS")[0],
        "logs": (functions * 1e-6 + api * 0.15e-6) * price("CloudWatch Logs")[0],
        "secrets": 3 * price("Secrets Manager")[0] + 2 * CALLS_OF_A_SECRET * price("Secrets Manager, calls")[0],
    }
    assert {name: told[name] for name in lines} == {name: f"{dollars:.2f}" for name, dollars in lines.items()}
    assert float(told["total"]) == pytest.approx(sum(float(told[name]) for name in lines))


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
