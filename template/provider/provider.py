"""Provider of the stack's custom resources: gives functions a task, and tells CloudFormation what they reply.

It is stored in the template and has nothing of the container image, so it answers even if the image does not start.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config

PATIENCE_SECONDS = 30
"""How long faults are asked for again, because permissions take a while to apply."""
CALL_SECONDS = 45
"""For one call, with the start of a large image."""
RESERVED_SECONDS = 15
"""For the answer to CloudFormation."""
PAUSE_SECONDS = 5
PREFIXES = ("_demo/", "_gallery/")
"""Of the pages in their bucket."""
DELIVERY = "deliver-access-logs"
"""The task that is done here: CloudFormation creates a delivery only in the region of its stack."""
LOGS_REGION = "us-east-1"
"""Where the deliveries of CloudFront's logs are configured, wherever their bucket is."""
CLIENT = Config(connect_timeout=5, read_timeout=CALL_SECONDS, retries={"total_max_attempts": 1})


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Answer one event of CloudFormation, whatever happens."""
    properties = event["ResourceProperties"]
    deletes = event["RequestType"] == "Delete"
    own_id = properties["Task"] + "-" + properties.get("Bucket", "stack")
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event["PhysicalResourceId"] if deletes else own_id}
    try:
        if properties["Task"] == DELIVERY:
            deliver_logs(properties, event["StackId"], deletes=deletes)
        elif deletes:
            empty(properties)
        else:
            former = event.get("OldResourceProperties", {})
            answer["Data"] = {"Notes": perform(properties, former, context, event["StackId"])[:1000]}
    except Exception as error:  # noqa: BLE001 - CloudFormation waits for an answer, whatever was raised
        answer |= {"Status": "FAILED", "Reason": str(error)[:1500] or repr(error)}
    body = json.dumps(answer).encode()
    print(body.decode())  # noqa: T201 - standard output is the log of a function
    # The signature of the presigned URL covers an empty Content-Type. CloudFormation itself makes this URL.
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310 - see above
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - see above


def perform(properties: Mapping[str, Any], former: Mapping[str, Any], context: Any, stack: str) -> str:
    """Return the notes of all functions. Raise RuntimeError with their faults, if any remain.

    A rollback does not fail for a fault: the stack would be stuck, and its former state is all that it can go back to.
    """
    began = time.monotonic()
    while True:
        replies = [ask(name, properties, context) for name in properties["Functions"]]
        faults = dict.fromkeys(fault for reply in replies for fault in reply["faults"])
        faults |= dict.fromkeys([*find_distribution(properties), *find_unpublished(properties, former)])
        if not faults:
            notes = dict.fromkeys(note for reply in replies for note in reply["notes"])
            return "; ".join([*notes, *find_quota()]) or "none"
        if rolls_back(stack):
            return "; ".join(faults)
        if time.monotonic() - began > PATIENCE_SECONDS or left(context) < RESERVED_SECONDS + PAUSE_SECONDS:
            raise RuntimeError("; ".join(faults))
        time.sleep(PAUSE_SECONDS)


def deliver_logs(properties: Mapping[str, Any], stack: str, *, deletes: bool) -> None:
    """Create or delete the delivery of a distribution's access logs. It is tried again until permissions apply."""
    logs = boto3.client("logs", region_name=LOGS_REGION, config=CLIENT)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            (end_delivery if deletes else start_delivery)(logs, properties)
        except Exception:
            if rolls_back(stack):
                return
            if time.monotonic() > until:
                raise
        else:
            return
        time.sleep(PAUSE_SECONDS)


def start_delivery(logs: Any, properties: Mapping[str, Any]) -> None:
    """Create source, destination and delivery, or bring what there is of them up to date."""
    name = properties["Name"]
    logs.put_delivery_source(name=name, resourceArn=properties["Source"], logType="ACCESS_LOGS")
    configuration = {"destinationResourceArn": properties["Destination"]}
    made = logs.put_delivery_destination(name=name, outputFormat="w3c", deliveryDestinationConfiguration=configuration)
    if not find_deliveries(logs, name):
        logs.create_delivery(deliverySourceName=name, deliveryDestinationArn=made["deliveryDestination"]["arn"])


def end_delivery(logs: Any, properties: Mapping[str, Any]) -> None:
    """Delete delivery, source and destination, as far as they exist."""
    name = properties["Name"]
    for delivery in find_deliveries(logs, name):
        logs.delete_delivery(id=delivery)
    for delete in (logs.delete_delivery_source, logs.delete_delivery_destination):
        try:
            delete(name=name)
        except logs.exceptions.ResourceNotFoundException:
            continue


def find_deliveries(logs: Any, name: str) -> list[str]:
    """Return the ids of the deliveries from a source."""
    pages = logs.get_paginator("describe_deliveries").paginate()
    return [each["id"] for page in pages for each in page["deliveries"] if each["deliverySourceName"] == name]


def rolls_back(stack: str) -> bool:
    """Return whether CloudFormation is restoring the former state of the stack."""
    described = boto3.client("cloudformation", config=CLIENT).describe_stacks(StackName=stack)
    return "ROLLBACK" in described["Stacks"][0]["StackStatus"]


def left(context: Any) -> float:
    """Return the seconds until Lambda ends this call."""
    return float(context.get_remaining_time_in_millis() / 1000)


def ask(name: str, properties: Mapping[str, Any], context: Any) -> dict[str, list[str]]:
    """Return the faults and notes that a function replies to the task. That it does not run is a fault."""
    seconds = max(1.0, min(CALL_SECONDS, left(context) - RESERVED_SECONDS))
    client = boto3.client("lambda", config=CLIENT.merge(Config(read_timeout=seconds)))
    try:
        reply = client.invoke(FunctionName=name, Payload=json.dumps({"task": properties["Task"]}))
        body = json.load(reply["Payload"])
    except Exception as error:  # noqa: BLE001 - denied, throttled, too slow: each is a fault of the deployment
        return {"faults": [f"{name} cannot be invoked: {error}"], "notes": []}
    if "FunctionError" in reply:
        cause = f"{body.get('errorType')}: {body.get('errorMessage')}"[:300]
        question = f"Was ImageUri built for Architecture={properties['Architecture']}?"
        return {"faults": [f"{name} does not run ({cause}). {question}"], "notes": []}
    if "faults" not in body:
        return {"faults": [f"{name} does not know the task: ImageUri is not of this template's version"], "notes": []}
    return {"faults": body["faults"], "notes": body["notes"]}


def find_distribution(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield a fault if the distribution that the stack is attached to does not exist in this account."""
    if properties.get("Distribution"):
        try:
            boto3.client("cloudfront", config=CLIENT).get_distribution(Id=properties["Distribution"])
        except Exception as error:  # noqa: BLE001 - as above
            yield f"ExistingDistributionId: {error}"


def find_unpublished(properties: Mapping[str, Any], former: Mapping[str, Any]) -> Iterator[str]:
    """Yield a fault if a change publishes no versions: the alias would stay at those with the former settings."""
    deployed_at = properties.get("DeployedAt")
    if properties.get("Versions") == former.get("Versions") == "Yes" and deployed_at == former["DeployedAt"]:
        yield f"DeployedAt must have a new value with every change, or no version is published, got {deployed_at}"


def find_quota() -> Iterator[str]:
    """Yield a note if the account allows few concurrent executions, as a new account does."""
    limits = boto3.client("lambda", config=CLIENT).get_account_settings()["AccountLimit"]
    allowed = limits["ConcurrentExecutions"]
    if allowed < 100:
        yield (
            f"this account allows {allowed} concurrent executions of all its functions together: a page with more "
            "uncached images than that gets 503s, and an image that runs a model takes two of them; ask AWS for more"
        )


def empty(properties: Mapping[str, Any]) -> None:
    """Delete the pages, so that their bucket can be deleted. No function is asked, since it may not run any more."""
    if properties["Task"] != "fill-demo":
        return
    s3 = boto3.client("s3", config=CLIENT)
    try:
        pages = s3.get_paginator("list_objects_v2")
        for page in (
            page for prefix in PREFIXES for page in pages.paginate(Bucket=properties["Bucket"], Prefix=prefix)
        ):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
            if keys and s3.delete_objects(Bucket=properties["Bucket"], Delete={"Objects": keys}).get("Errors"):
                raise RuntimeError(f"the pages in {properties['Bucket']} cannot be deleted")
    except s3.exceptions.NoSuchBucket:
        return  # nothing is left to delete
