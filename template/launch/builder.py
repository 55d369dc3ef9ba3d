"""Has CodeBuild make the container image, and tells CloudFormation its address, or in words why there is none.

CloudFormation's request starts a build, and the end of the build, which EventBridge reports, answers it: a function
could not wait for so long.
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

STATES = ("StackId", "RequestId", "LogicalResourceId", "ResponseURL")
OWN_ID = "container-image"
"""The same for every image: with another one CloudFormation would delete the former, and the new template with it."""


def handler(event: Mapping[str, Any], _: object) -> None:
    """Take a request of CloudFormation, or the end of a build."""
    if "detail" in event:
        end(event["detail"])
        return
    try:
        if event["RequestType"] == "Delete":
            empty_bucket()
            answer(event, event["PhysicalResourceId"])
        else:
            start(event)
    except Exception as error:  # noqa: BLE001 - CloudFormation waits for an answer, whatever was raised
        answer(event, event.get("PhysicalResourceId", OWN_ID), reason=f"the build cannot start: {error}")


def start(event: Mapping[str, Any]) -> None:
    """Start a build that knows which request it answers."""
    properties = event["ResourceProperties"]
    variables = {name: properties[name] for name in ("ARCHIVE_URL", "ARCHIVE_SHA256", "PUBLIC_IMAGE")}
    variables |= {name: event[name] for name in STATES}
    boto3.client("codebuild").start_build(
        projectName=os.environ["PROJECT"],
        idempotencyToken=event["RequestId"],
        environmentVariablesOverride=[{"name": name, "value": value} for name, value in variables.items()],
    )


def end(detail: Mapping[str, Any]) -> None:
    """Answer the request that a build was started for, unless it was started by hand."""
    (build,) = boto3.client("codebuild").batch_get_builds(ids=[detail["build-id"]])["builds"]
    request = {each["name"]: each["value"] for each in build["environment"]["environmentVariables"]}
    if "ResponseURL" not in request:
        return
    made = {each["name"]: each["value"] for each in build.get("exportedEnvironmentVariables", [])}
    if build["buildStatus"] == "SUCCEEDED" and made.get("IMAGE_URI"):
        answer(request, OWN_ID, data={name: made[name] for name in ("IMAGE_URI", "TEMPLATE_URL", "BUILT_AT")})
        return
    contexts = [context for phase in build.get("phases", []) for context in phase.get("contexts", [])]
    words = "; ".join(context["message"] for context in contexts if context.get("message"))
    log = build.get("logs", {}).get("deepLink", "the console of CodeBuild")
    answer(request, OWN_ID, reason=f"the build ended as {build['buildStatus']}: {words[:600]} See {log}")


def answer(
    request: Mapping[str, Any], physical_id: str, *, data: Mapping[str, str] | None = None, reason: str = ""
) -> None:
    """Send CloudFormation the answer to its request."""
    body: dict[str, Any] = {name: request[name] for name in STATES[:3]}
    body |= {"Status": "FAILED" if reason else "SUCCESS", "PhysicalResourceId": physical_id}
    body |= {"Reason": reason[:1500]} if reason else {"Data": data or {}}
    # The signature of the presigned URL covers an empty Content-Type. CloudFormation itself makes this URL.
    sent = urllib.request.Request(request["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 - see above
    urllib.request.urlopen(sent, timeout=10).close()  # noqa: S310 - see above


def empty_bucket() -> None:
    """Delete the template of the stack, so that its bucket can be deleted. Nothing is done if that is gone."""
    s3 = boto3.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=os.environ["BUCKET"]):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
            if keys and s3.delete_objects(Bucket=os.environ["BUCKET"], Delete={"Objects": keys}).get("Errors"):
                raise RuntimeError(f"{os.environ['BUCKET']} cannot be emptied")
    except s3.exceptions.NoSuchBucket:
        return  # nothing is left to delete
