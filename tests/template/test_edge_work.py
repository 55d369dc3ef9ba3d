"""How much work the edge function does: CloudFront allows about a millisecond, so calls are counted, not time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import SECRET
from tests.template.edge import Viewer, code_with_keys, run

from handler.auth.signature import signed_url

KEYS = {"signing-keys": json.dumps([SECRET, "previous"])}


def counted(script: str) -> str:
    """The function with a counter of calls to each of its functions, and to the store and HMAC, as its answer."""
    script = re.sub(
        r"^((?:async )?function (\w+)\(.*\{)$",
        r"\1 COUNTS['\2'] = (COUNTS['\2'] || 0) + 1;",
        script,
        flags=re.MULTILINE,
    )
    script = script.replace("cf.kvs()", "(COUNTS.reads = (COUNTS.reads || 0) + 1, cf.kvs())")
    script = script.replace("crypto.createHmac(", "(COUNTS.hmacs = (COUNTS.hmacs || 0) + 1, crypto).createHmac(")
    script = script.replace("async function handler(", "async function original(")
    return f"""{script}
var COUNTS = {{}};
async function handler(event) {{
  COUNTS = {{}};
  var answer = await original(event);
  return {{ uri: '' + (answer.statusCode || answer.uri), querystring: JSON.stringify(COUNTS), headers: {{}} }};
}}
"""


def work(viewers: Sequence[Viewer], folder: Path, ignored: str = "utm_*,fbclid,gclid") -> list[dict[str, int]]:
    found = run(counted(code_with_keys(ignored)), viewers, folder, KEYS)
    return [json.loads(each.query) for each in found]


def signed(url: str) -> Viewer:
    path, _, query = signed_url(url, SECRET).partition("?")
    return Viewer(path, query)


def test_what_is_too_much_is_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    viewers = [
        Viewer("/cat.jpg", "&".join(f"a{n}=%41" for n in range(2000))),
        Viewer("/" + "%41" * 3000, "a=1"),
        Viewer("/cat.jpg", "a=" + "%41" * 3000),
        Viewer("/cat.jpg", "&" * 5000),
    ]
    for counts in work(viewers, tmp_path):
        assert set(counts) <= {"handler", "refusal", "tooLong"}


def test_work_grows_with_the_number_of_parameters_and_no_faster(tmp_path: Path) -> None:
    """Three calls to decode or encode for each name and value, whatever the number; names are compared when sorting."""
    few, many = (
        work([Viewer("/cat.jpg", "&".join(f"a{n}=%41" for n in range(count)))], tmp_path, "*")[0] for count in (10, 100)
    )
    for name in ("decoded", "encoded", "recoded", "isIgnored", "isKnown"):
        assert many.get(name, 0) <= 10 * few.get(name, 0) + 10, name
    assert sum(many.values()) < 100 * 12


def test_the_most_work_that_a_request_can_cause_is_bounded(tmp_path: Path) -> None:
    """A hundred known parameters, all of them signed and encoded: the dearest query that is not refused."""
    query = "&".join(f"w{n:02}=%C3%A9%20%26" for n in range(99))
    counts, usual = work(
        [signed(f"/photos/cat.jpg?{query}"), Viewer("/photos/cat.jpg", "width=300&height=200")], tmp_path
    )
    assert sum(counts.values()) < 2_500
    assert sum(usual.values()) < 60
    assert (counts["hmacs"], counts["reads"]) == (2, 1)


def test_the_store_is_read_only_for_what_may_be_verified(tmp_path: Path) -> None:
    """Reads are billed, and take time."""
    past, path = signed("/cat.jpg?expires=20200101T000000Z"), signed("/cat.jpg")
    viewers = [
        Viewer("/cat.jpg", "width=3"),
        Viewer("/cat.jpg", "asignature=1"),
        Viewer("/cat.jpg", "signature=1&signature=2"),
        Viewer("/_api/sign", path.query),
        past,
    ]
    assert [counts.get("reads", 0) for counts in work(viewers, tmp_path)] == [0] * len(viewers)
    assert work([path], tmp_path)[0]["reads"] == 1


def test_every_key_is_compared_whichever_matches(tmp_path: Path) -> None:
    """The time of an answer tells nothing about the keys."""
    right = signed("/cat.jpg")
    old = Viewer("/cat.jpg", signed_url("/cat.jpg", "previous").partition("?")[2])
    wrong = Viewer("/cat.jpg", "signature=" + "0" * 64)
    short = Viewer("/cat.jpg", "signature=0")
    assert [counts["hmacs"] for counts in work([right, old, wrong, short], tmp_path)] == [2] * 4
