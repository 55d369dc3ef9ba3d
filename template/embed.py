"""Insert the fingerprints of all parameter names into the edge function, and code into the template.

The sources are the features, `edge/viewer_request.js`, `provider/provider.py` and `authorizer/authorizer.py`. `--write`
updates the files, `--check` fails if one of them is out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from features import CATALOGUE, feature_names
from handler.requests.dialects.query import CONTROLS
from imaging import Output, spellings

HERE = Path(__file__).parent
EDGE = HERE / "edge" / "viewer_request.js"
TEMPLATE = HERE / "serverless-image-handler-template.yaml"
PROVIDER = HERE / "provider" / "provider.py"
_CODE = re.compile(r"(?<=        - \| # template/edge/viewer_request.js\n)(?:          .*\n|\n)+")
AUTHORIZER = HERE / "authorizer" / "authorizer.py"
_PROVIDER = re.compile(r"(?<=        ZipFile: \| # template/provider/provider.py\n)(?:          .*\n|\n)+")
_AUTHORIZER = re.compile(r"(?<=        ZipFile: \| # template/authorizer/authorizer.py\n)(?:          .*\n|\n)+")
_VARIABLE_LINE = re.compile(r"^// (\$\{\w+\})$")
"""A line of the edge function that is a variable of the template, in a comment so that the file is JavaScript."""
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LIST = re.compile(r"^var (KNOWN_HEADS|KNOWN_NAMES) = '.*';$", re.MULTILINE)


def known() -> dict[str, str]:
    """Return the names that `handler.requests.dialects.query.is_known` accepts: parts before a dot, and whole names."""
    names = {name for params in (Output, *(feature.params for feature in CATALOGUE)) for name in spellings(params)}
    heads = {*CONTROLS, "output", *feature_names()}
    return {"KNOWN_HEADS": " ".join(sorted(heads)), "KNOWN_NAMES": " ".join(sorted(names - heads))}


def fingerprint(name: str) -> str:
    """Return the four characters that stand for a name of ASCII letters, as the edge function computes them."""
    value = 1
    for char in name:
        value = (value * 8191 + ord(char)) % 16_777_213  # the largest prime below 64**4
    return "".join(_DIGITS[value >> shift & 63] for shift in (18, 12, 6, 0))


def edge_with_names(edge: str) -> str:
    """Return the edge function with the fingerprints of the parameter names of all features."""
    lists = {variable: "".join(map(fingerprint, names.split())) for variable, names in known().items()}
    return _LIST.sub(lambda match: f"var {match[1]} = '{lists[match[1]]}';", edge)


def edge_without_comments(edge: str) -> str:
    """Return the edge function without comments, blank lines and indentation: CloudFront accepts 10 KB of code."""
    lines = (_VARIABLE_LINE.sub(r"\1", line).strip() for line in edge.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def template_with_code(template: str, edge: str) -> str:
    """Return the template with this code. ValueError if it has no single place for one of them."""
    parts = (
        ("edge function", _CODE, edge_without_comments(edge), 10),
        ("provider", _PROVIDER, PROVIDER.read_text("utf-8"), 10),
        ("authorizer", _AUTHORIZER, AUTHORIZER.read_text("utf-8"), 10),
    )
    for what, place, code, indent in parts:
        found = place.search(template)
        if found is None or place.search(template, found.end()):
            raise ValueError(f"the template must hold one {what}")
        lines = "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in code.splitlines())
        template = template[: found.start()] + lines + template[found.end() :]
    return template


def main(arguments: list[str]) -> int:
    """Update or check the files, and return 1 if one is out of date."""
    if arguments not in (["--write"], ["--check"]):
        sys.stderr.write(f"expected --write or --check, got {' '.join(arguments) or 'nothing'}\n")
        return 2
    edge = edge_with_names(EDGE.read_text("utf-8"))
    renewed = {EDGE: edge, TEMPLATE: template_with_code(TEMPLATE.read_text("utf-8"), edge)}
    stale = [path for path, text in renewed.items() if path.read_text("utf-8") != text]
    for path in stale:
        if arguments == ["--write"]:
            path.write_text(renewed[path], "utf-8")
        else:
            sys.stderr.write(f"{path.relative_to(HERE.parent)} is not what the code gives: make reference\n")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
