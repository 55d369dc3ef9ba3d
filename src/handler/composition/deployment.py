"""The tasks that the provider of the stack's custom resources gives to a function during a deployment.

The provider is a small function of its own (`template/provider/provider.py`), so that CloudFormation gets an answer
even if this container image does not start. Only principals that may invoke the function reach these tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handler.composition.factories import build_aws_access
from handler.composition.self_check import check_deployment
from handler.config import Settings, SettingsError
from handler.errors import HandlerError
from handler.pages.demo_site import DemoSite
from handler.storage.results import open_results
from imaging import Deadline, FeatureError

PREFIX = "_demo/"
"""Of the demo page in its bucket, which is also its path."""


def self_check(deadline: Deadline) -> dict[str, object]:
    """Return the faults and notes of the self-check."""
    report = check_deployment(deadline)
    return {"faults": report.faults, "notes": report.notes}


def fill_demo(deadline: Deadline) -> dict[str, object]:
    """Write the demo page and the samples into DEMO_BUCKET, and return the number of files, or the faults."""
    try:
        settings = Settings.from_environment()
        bucket = settings.storage.demo_bucket
        if not bucket:
            raise HandlerError("this function has no demo bucket: DEMO_BUCKET is not set", code="Configuration")
        store = open_results(f"demo=s3://{bucket}", "DEMO_BUCKET", aws=build_aws_access(settings))
        return {"faults": [], "notes": [], "files": DemoSite(store, PREFIX).fill(deadline)}
    except SettingsError as error:
        return {"faults": str(error).splitlines(), "notes": []}
    except (FeatureError, HandlerError) as error:
        return {"faults": [f"the demo page: {error.message} ({error.detail})"], "notes": []}


TASKS: Mapping[str, Callable[[Deadline], dict[str, object]]] = {"self-check": self_check, "fill-demo": fill_demo}
"""Each task by its name."""
