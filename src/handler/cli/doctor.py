"""`image-handler doctor`: check the installation on this machine, or a deployed service."""

from __future__ import annotations

from urllib.parse import quote

import click

from handler.cli.installation import check_installation


@click.command()
@click.option("--url", help="Check a deployed service, such as https://d111111abcdef8.cloudfront.net.")
@click.option(
    "--key", help="With --url: key of a photograph in the service. By default the operator API's listing names one."
)
@click.option("--bucket", help="With --url: source that the photograph is stored in, if it is not the default one.")
@click.option(
    "--api", default="", help="With --url: URL of the API behind the CDN, which is the stack's output ApiEndpoint."
)
@click.option(
    "--stack", help="Report what a CloudFormation stack says of itself, and how long its functions took to start."
)
@click.option("--token", envvar="IMAGE_HANDLER_TOKEN", default="", hidden=True)
def doctor(url: str | None, key: str | None, bucket: str | None, api: str, stack: str | None, token: str) -> int:
    """Check this installation or, with --url, a deployed service. The exit status is 1 if a check fails.

    Without --url: print the versions of packages, read and write a small image in every format, use each source, secret
    and database that the settings name once, and say what is left to do. With --url: test
    keys with special characters, long URLs, 304, HEAD, the CDN's cache, images over 6 MB, signatures and forbidden
    requests. If IMAGE_HANDLER_TOKEN holds the operator's token, purge that one photograph too.

    \b
    Examples:
      image-handler doctor
      image-handler doctor --url https://images.example.com --key photos/cat.jpg
      image-handler doctor --stack pictures
    """
    status = _report_stack(stack) if stack else 0
    if url:
        return max(status, _check_service(url, key, bucket, api, token))
    return status if stack else check_installation()


def _report_stack(name: str) -> int:
    from handler.aws.sdk import SdkError  # noqa: PLC0415 - for `--stack` alone
    from handler.cli.stack_report import report_stack  # noqa: PLC0415 - for `--stack` alone
    from handler.composition.factories import build_aws_access  # noqa: PLC0415 - for `--stack` alone
    from handler.config import Settings  # noqa: PLC0415 - for `--stack` alone

    try:
        for line in report_stack(name, build_aws_access(Settings.from_environment())):
            click.echo(line)
    except SdkError as error:
        click.echo(f"stack {name} cannot be read: {error}", err=True)
        return 1
    return 0


def _check_service(url: str, key: str | None, bucket: str | None, api: str, token: str) -> int:
    from handler.cli.checks import find_image, needs_signatures, run_checks  # noqa: PLC0415 - for `--url` alone
    from handler.cli.http_probe import Service, Target  # noqa: PLC0415 - for `--url` alone

    service = Service(url, token)
    key = key or (find_image(service) if token else None)
    if not key:
        raise click.UsageError("name a photograph by --key, or set IMAGE_HANDLER_TOKEN to the operator's token")
    query = f"bucket={quote(bucket)}" if bucket else ""
    service.needs_signatures = needs_signatures(service, key, query)
    if service.needs_signatures and not token:
        raise click.UsageError("the service needs signatures: set IMAGE_HANDLER_TOKEN to the operator's token")
    status = 0
    has_cdn = "x-cache" in service.get_image(key, query).headers
    for result in run_checks(Target(service, key, query, api, has_cdn)):
        click.echo(f"{result.status:9}{result.name}" + (f": {result.message}" if result.message else ""))
        status = max(status, int(result.status == "failed"))
    return status
