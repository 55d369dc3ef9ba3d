"""`image-handler check-urls`: report the outcome of each URL of a list or an access log, before a site moves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

import click
import msgspec

from handler.auth.canonical import decode_path
from handler.cli.access_logs import AccessLog
from handler.composition import wiring
from handler.config import Settings
from handler.core.errors import HandlerError, status_of
from handler.entrypoints.http import HttpEntrypoint
from handler.entrypoints.http_call import HttpRequest
from handler.requests.image_request import ImageRequest
from handler.requests.parse import parse_request
from handler.requests.policy import Policy
from handler.response import IGNORED
from imaging import Deadline, FeatureError, InvalidParameter

_ACCEPT = "image/avif,image/webp,image/*,*/*;q=0.8"
_SUMMARY_LINES = 40
_SECONDS = 60.0
"""Time for rendering one image with --fetch."""


class CheckedUrl(NamedTuple):
    """The outcome of a URL, and what to know of it."""

    outcome: str
    """`ok`, `ignored` if parts are left out or repaired, or `refused`."""
    detail: str = ""
    reason: str = ""
    """What URLs with the same fault have in common, for the totals."""


@click.command("check-urls")
@click.argument("file", type=click.File("rb"))
@click.option("--fetch", is_flag=True, help="Render each image too, which reads the originals.")
@click.option("--quiet", is_flag=True, help="Print only the totals.")
def check_urls(file: BinaryIO, fetch: bool, quiet: bool) -> int:
    """Report the outcome of each URL in FILE: accepted, accepted with parts ignored, or refused.

    FILE (- is standard input) holds URLs or paths, one a line, or is an access log: of CloudFront, a load balancer or a
    web server. It may be packed by gzip. A URL counts as often as it occurs. The settings are those of the environment;
    in both modes each line says what COMPATIBILITY=lenient ignores or repairs. No image is read without --fetch. The
    exit status is 1 if a URL is refused, and 2 if FILE holds no URL.

    \b
    Examples:
      image-handler check-urls urls.txt
      image-handler check-urls access.log.gz --quiet
      grep cat urls.txt | image-handler check-urls - --fetch
    """
    log = AccessLog(file)
    urls = Counter(log.read_urls())
    if not urls:
        raise click.UsageError(f"FILE holds no URL of a GET or HEAD request ({log.skipped} lines of something else)")
    settings = Settings.from_environment()
    if not settings.storage.source_buckets.strip():
        raise click.UsageError("SOURCE_BUCKETS must name the sources of the URLs, such as photos, got nothing")
    entrypoint = wiring.build(settings).http
    totals: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for url, count in urls.items():
        checked = _fetch(entrypoint, url) if fetch else _check(entrypoint, url)
        totals[checked.outcome] += count
        if checked.reason:
            reasons[checked.outcome, checked.reason] += count
        if not quiet:
            click.echo("\t".join(filter(None, (checked.outcome, url, checked.detail))))
    _print_totals(totals, reasons)
    if log.skipped:
        click.echo(f"{log.skipped:8d} lines skipped: too long, or without the URL of a GET or HEAD request", err=True)
    return 1 if totals["refused"] else 0


def _check(entrypoint: HttpEntrypoint, url: str) -> CheckedUrl:
    """Return the outcome of a URL, as far as it is known without the original."""
    try:
        return _report(_parse(entrypoint, url, entrypoint.policy).ignored, "")
    except InvalidParameter as error:
        refused = CheckedUrl("refused", error.message, f"{int(status_of(error))} {error.code}: {error.name}")
        if entrypoint.policy.is_lenient:
            return refused
    except (FeatureError, HandlerError) as error:
        return CheckedUrl("refused", error.message, f"{int(status_of(error))} {error.code}")
    try:
        request = _parse(entrypoint, url, msgspec.structs.replace(entrypoint.policy, is_lenient=True))
    except (FeatureError, HandlerError):
        return refused
    names = ", ".join(request.ignored)
    detail = f"{refused.detail} (COMPATIBILITY=lenient would accept it, without or with repaired: {names})"
    return refused._replace(detail=detail, reason=f"{refused.reason} in strict mode alone: {names}")


def _parse(entrypoint: HttpEntrypoint, url: str, policy: Policy) -> ImageRequest:
    """Return the request that a URL makes. Raise FeatureError or HandlerError if it is refused."""
    call = _build_call(url)
    path, pairs = decode_path(call.path), call.pairs(entrypoint.ignored)
    proof = entrypoint.authenticator.authenticate(path, pairs, call.path, call.sent_pairs)
    raw_path = None if proof.covers_decoded_path else call.path
    request = parse_request(path, pairs, policy, caller=proof.caller, raw_path=raw_path, signed_path=proof.signed_path)
    for ref in request.stored_objects:
        entrypoint.render_context.objects.resolve(ref)
    return request


def _build_call(url: str) -> HttpRequest:
    path, _, query = url.partition("?")
    return HttpRequest(method="GET", path=path, encoded=True, query=query, headers={"accept": _ACCEPT})


def _report(ignored: Sequence[str], detail: str) -> CheckedUrl:
    names = ", ".join(ignored)
    if not names:
        return CheckedUrl("ok", detail)
    return CheckedUrl("ignored", "; ".join(filter(None, (detail, f"ignored or repaired: {names}"))), names)


def _fetch(entrypoint: HttpEntrypoint, url: str) -> CheckedUrl:
    """Return what the service answers to a URL."""
    answer = entrypoint.answer(_build_call(url), Deadline.after(_SECONDS))
    if answer.status >= HTTPStatus.BAD_REQUEST:
        body = json.loads(answer.body) if answer.is_text else {}
        return CheckedUrl(
            "refused", str(body.get("message", "")), f"{int(answer.status)} {body.get('code', '')}".strip()
        )
    ignored = [unquote(name) for name in answer.headers.get(IGNORED, "").split(", ") if name]
    return _report(ignored, f"{answer.headers.get('Content-Type', answer.status)}, {len(answer.body)} bytes")


def _print_totals(totals: Counter[str], reasons: Counter[tuple[str, str]]) -> None:
    """Print how many requests have each outcome, and the most frequent reasons."""
    whole = sum(totals.values())
    click.echo(f"{whole} requests", err=True)
    for outcome in ("ok", "ignored", "refused"):
        click.echo(f"{totals[outcome]:8d} {outcome} ({totals[outcome] / max(1, whole):.1%})", err=True)
    for (outcome, reason), count in reasons.most_common(_SUMMARY_LINES):
        click.echo(f"{count:8d} {outcome}: {reason}", err=True)
