"""Insert the fingerprints of all parameter names into the edge function, and code into the template.

The sources are the features, `edge/viewer_request.js`, `provider/provider.py` and `authorizer/authorizer.py`. The
launch template is made of `launch/` and of the template. `--write` updates the files, `--check` fails if one is old.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from features import CATALOGUE, feature_names
from handler.requests.dialects.query import CHAIN, CONTROLS
from imaging import Output, spellings

HERE = Path(__file__).parent
EDGE = HERE / "edge" / "viewer_request.js"
TEMPLATE = HERE / "serverless-image-handler-template.yaml"
PROVIDER = HERE / "provider" / "provider.py"
LAUNCH = HERE / "image-handler-launch-template.yaml"
_LAUNCH_SOURCE = HERE / "launch" / "launch.yaml"
_BUILDER = HERE / "launch" / "builder.py"
GIVEN = ("ImageUri", "DeployedAt")
"""Parameters of the template whose values the launch template's build gives."""
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
    heads = {*CONTROLS, CHAIN, "output", *feature_names()}
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


def launch_template(handler: str) -> str:
    """Return the template that builds the container image and launches the given template with it.

    It has the parameters and the rules of that template, and passes the parameters on.
    """
    parameters = blocks_of(section_of(handler, "Parameters"))
    rules = blocks_of(section_of(handler, "Rules"))
    own = {name: text for name, text in parameters.items() if name not in GIVEN}
    kept = [
        text for text in rules.values() if not any(f"!Ref {name}]" in text or f"!Ref {name}," in text for name in GIVEN)
    ]
    values = "".join(
        f"        {name}: " + (f"!Join [',', !Ref {name}]" if "CommaDelimitedList" in text else f"!Ref {name}") + "\n"
        for name, text in own.items()
    )
    builder = "".join(f"          {line}\n" if line else "\n" for line in _BUILDER.read_text("utf-8").splitlines())
    parts = {
        "# groups\n": groups_of(handler),
        "# parameters\n": "".join(own.values()),
        "# rules\n": "Rules:\n" + "".join(kept),
        "# values\n": values,
        "          code\n": builder,
    }
    template = _LAUNCH_SOURCE.read_text("utf-8")
    for place, text in parts.items():
        if template.count(f"\n{place}") != 1:
            raise ValueError(f"{_LAUNCH_SOURCE.name} must hold {place.strip()!r} once")
        template = template.replace(f"\n{place}", f"\n{text}")
    return template


def section_of(template: str, name: str) -> str:
    """Return the lines of a section of a template, without its name."""
    found = re.search(rf"^{name}:\n((?:[ #].*\n|\n)+)", template, re.MULTILINE)
    if found is None:
        raise ValueError(f"the template must have the section {name}")
    return found[1]


def blocks_of(section: str) -> dict[str, str]:
    """Return the text of each entry of a section, by its name, with the comments before it."""
    found: dict[str, str] = {}
    comments = ""
    name = ""
    for line in section.splitlines(keepends=True):
        start = re.match(r"  (\w+):", line)
        if start:
            name = start[1]
            found[name] = comments + line
            comments = ""
        elif line.startswith("  #") or not line.strip():
            comments += line if line.strip() else ""
        else:
            found[name] += line
    return found


def groups_of(handler: str) -> str:
    """Return the groups in which a console shows the parameters, without those that the build gives."""
    text = section_of(handler, "Metadata")
    groups = text[text.index("    ParameterGroups:\n") + len("    ParameterGroups:\n") :].rstrip("\n") + "\n"
    return re.sub(rf"^ +- (?:{'|'.join(GIVEN)})\n", "", groups, flags=re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Update or check the files, and return 1 if one is out of date."""
    if arguments not in (["--write"], ["--check"]):
        sys.stderr.write(f"expected --write or --check, got {' '.join(arguments) or 'nothing'}\n")
        return 2
    edge = edge_with_names(EDGE.read_text("utf-8"))
    template = template_with_code(TEMPLATE.read_text("utf-8"), edge)
    renewed = {EDGE: edge, TEMPLATE: template, LAUNCH: launch_template(template)}
    stale = [path for path, text in renewed.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if arguments == ["--write"]:
            path.write_text(renewed[path], "utf-8")
        else:
            sys.stderr.write(f"{path.relative_to(HERE.parent)} is not what the code gives: make reference\n")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
