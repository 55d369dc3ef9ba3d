"""`image-handler doctor --stack`: what a stack tells of itself, and how long its functions took to start."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles

from handler.aws import AwsAccess
from handler.aws.function_logs import start_times
from handler.aws.sdk import SdkRefusal
from handler.aws.stacks import stack_outputs

_DAYS = 7
_FUNCTIONS = {"function": "", "model function": "-heavy", "upload function": "-uploads"}
"""The functions of a stack, and what follows its name in the names of their log groups."""
_KINDS = {"Init": "initialisations", "Restore": "restores of a snapshot"}
_SHOWN_OUTPUTS = ("CdnUrl", "ApiEndpoint", "PublicAccess", "DeploymentNotes")


def report_stack(name: str, aws: AwsAccess) -> Iterator[str]:
    """Yield a line for each important output of a stack, and for each kind of start of each function.

    Raise SdkError if the stack cannot be read.
    """
    outputs = stack_outputs(name, aws)
    for output in _SHOWN_OUTPUTS:
        if output in outputs:
            yield f"{output}: {outputs[output]}"
    for function, suffix in _FUNCTIONS.items():
        for kind, words in _KINDS.items():
            try:
                times = start_times(f"/aws/lambda/{name}{suffix}", kind, _DAYS, aws)
            except SdkRefusal as error:
                if error.code != "ResourceNotFoundException":
                    raise
                break  # the stack has no such function
            yield f"{function}: {_summary(times, words)}"


def _summary(times: list[float], words: str) -> str:
    if not times:
        return f"{words} in {_DAYS} days: none"
    slow = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    return (
        f"{words} in {_DAYS} days: {len(times)}, median {median(times):.0f} ms, "
        f"95 in 100 within {slow:.0f} ms, slowest {max(times):.0f} ms"
    )
