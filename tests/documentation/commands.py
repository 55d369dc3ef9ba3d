"""Says what is wrong with a command of the documentation, as far as one can know without AWS, Docker or a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import botocore.session
import click
from botocore import xform_name
from tests.documentation.pages import ROOT
from tests.template.stack import template

from handler.cli.commands import group
from handler.config import Settings, SettingsError

Check = Callable[[Sequence[str]], Iterator[str]]

AWS_GLOBAL = {"region", "query", "output", "profile"}
AWS_CLI_OWN = {("cloudfront", "create-invalidation"): {"paths"}, ("lambda", "invoke"): {"cli-binary-format"}}
"""Arguments that the AWS CLI adds to an operation, beside those of its model."""
S3_COMMANDS = {"mb": set(), "cp": {"recursive"}, "rm": {"recursive"}, "rb": {"force"}, "ls": {"recursive"}}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
MAKE_VARIABLES = {*re.findall(r"\$[({](?:or \$[({])?([A-Z_]+)", MAKEFILE)} | set(
    re.search(r"^export (.*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index] # the Makefile has this line
)
DOCKER_ARGUMENTS = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
MISSING = "lacks"
INCOMPLETE = (MISSING, "does not exist", "No such file")
OTHERS_PROGRAMS = {"mc": "MinIO's client, which is not installed", "git": "needs the network"}
"""Programs whose arguments are not checked, and why."""


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def _options(arguments: Sequence[str]) -> dict[str, list[str]]:
    """Return option → values, without its dashes."""
    found: dict[str, list[str]] = {}
    name = ""
    for argument in arguments:
        if argument.startswith("--"):
            name, _, value = argument.removeprefix("--").partition("=")
            found[name] = [value] if value else []
        else:
            found.setdefault(name, []).append(argument)
    return found


def check_aws(arguments: Sequence[str]) -> Iterator[str]:
    service, operation, *rest = arguments
    given = _options(rest)
    if service == "s3":
        wrong = {*given} - S3_COMMANDS.get(operation, set()) - AWS_GLOBAL - {""}
        yield from (f"aws s3 {operation} has no --{name}" for name in wrong)
        yield from [f"aws s3 has no {operation}"] if operation not in S3_COMMANDS else []
        return
    model = _service(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        yield f"aws {service} has no {operation}"
        return
    shape = model.operation_model(names[operation]).input_shape
    own = AWS_CLI_OWN.get((service, operation), set())
    known = {xform_name(name, "-") for name in shape.members}
    required = {xform_name(name, "-") for name in shape.required_members} if not own else set()
    plain = {name.removeprefix("no-") if name not in known else name for name in given if name not in AWS_GLOBAL}
    yield from (
        f"aws {service} {operation} has no --{name}" for name in plain - known - own - {"use-previous-template"}
    )
    yield from (f"aws {service} {operation} needs --{name}" for name in required - plain)


def check_parameters(words: Sequence[str]) -> Iterator[str]:
    """Check Name=Value of the template's parameters."""
    parameters = template()["Parameters"]
    for word in words:
        name, _, value = word.partition("=")
        if name not in parameters:
            yield f"the template has no parameter {name}"
        elif value not in parameters[name].get("AllowedValues", [value]):
            yield f"{name} may not be {value}"
        elif not re.search(parameters[name].get("AllowedPattern", ""), value) and "…" not in value:
            yield f"{name} does not match its pattern: {value}"


def check_make(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        name, is_variable, value = argument.partition("=")
        if name == "PARAMETERS":
            yield from check_parameters(value.split())
        elif name not in (MAKE_VARIABLES if is_variable else MAKE_TARGETS):
            yield f"make has no {name}"


def check_script(arguments: Sequence[str]) -> Iterator[str]:
    if arguments[0] not in {"image", "deploy", "destroy"}:
        yield f"deploy/aws.sh has no {arguments[0]}"
    yield from check_parameters(arguments[1:])


def check_docker(arguments: Sequence[str]) -> Iterator[str]:
    if arguments[0] == "build":
        for before, argument in pairwise(arguments):
            if before == "--build-arg" and argument.partition("=")[0] not in DOCKER_ARGUMENTS:
                yield f"the Dockerfile has no ARG {argument}"
    elif arguments[0] == "run":
        if "--entrypoint" not in arguments:
            yield f"docker run {MISSING} --entrypoint"
            return
        at = arguments.index("--entrypoint")
        if arguments[at + 1] != "image-handler":
            yield "the container has no such program"
        mounted = {argument.split(":")[1] for before, argument in pairwise(arguments) if before == "-v"}
        yield from check_command_line(["." if word in mounted else word for word in arguments[at + 3 :]])
    elif [*arguments[:2]] != ["image", "inspect"]:
        yield f"docker {arguments[0]} is not known here"


def check_command_line(arguments: Sequence[str]) -> Iterator[str]:
    """Parse the arguments of `image-handler`, without running the command."""
    if not arguments or arguments[0] in {"--help", "--version"}:
        return
    context = click.Context(group)
    command = group.get_command(context, arguments[0])
    if command is None:
        yield f"image-handler has no command {arguments[0]}"
        return
    try:
        command.make_context(arguments[0], list(arguments[1:]), parent=context).close()
    except click.exceptions.Exit:  # `--help`
        return
    except click.MissingParameter as error:
        yield f"{' '.join(arguments)}: {MISSING} {error.param and error.param.name}"
    except click.BadOptionUsage as error:
        yield f"{' '.join(arguments)}: {MISSING} {error.option_name}"
    except click.UsageError as error:
        yield f"{' '.join(arguments)}: {error.message}"


def check_settings(environment: dict[str, str]) -> Iterator[str]:
    try:
        Settings.from_environment(environment)
    except SettingsError as error:
        yield str(error)


def check_python(arguments: Sequence[str]) -> Iterator[str]:
    if arguments[0] == "-m" and find_spec(arguments[1]) is None:
        yield f"there is no module {arguments[1]}"


def check_pip(arguments: Sequence[str]) -> Iterator[str]:
    for before, argument in pairwise(arguments):
        if before == "-r" and not (ROOT / argument).is_file():
            yield f"there is no file {argument}"


def check_nothing(arguments: Sequence[str]) -> Iterator[str]:
    """Accept everything."""
    yield from () if arguments else ["a program without arguments"]


CHECKS: dict[str, Check] = {
    "aws": check_aws,
    "aws.sh": check_script,
    "docker": check_docker,
    "image-handler": check_command_line,
    "make": check_make,
    "pip": check_pip,
    "python": check_python,
    **dict.fromkeys(OTHERS_PROGRAMS, check_nothing),
    # These run: curl asks a server, kubectl and helm render.
    **dict.fromkeys(("curl", "kubectl", "helm"), check_nothing),
}


def faults(program: str, arguments: Sequence[str], *, is_mention: bool = False) -> list[str]:
    """Return a line for each fault of a command; a mention may leave out what the command works on."""
    found = CHECKS[program](arguments)
    return [fault for fault in found if not (is_mention and any(part in fault for part in INCOMPLETE))]
