"""Lambda SnapStart: prepare the process for its snapshot, and renew after a restore what copies must not share.

Lambda runs the initialisation once for each version of the function, takes a snapshot of the process, and starts
every environment from a copy. The copies share all that was in memory, and for them no time has passed since then,
although hours may have. The runtime client calls `prepare` before the snapshot and `renew` after each restore.
"""

from __future__ import annotations

import random
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from snapshot_restore_py import register_after_restore, register_before_snapshot

from features import check_drawing, edits
from handler.aws.credentials import forget_credentials
from handler.aws.tls import renew_tls
from handler.composition.wiring import build, start
from handler.config import Settings
from handler.entrypoints.http_call import HttpRequest
from imaging import WRITTEN, Context, Deadline, Output, has_saliency, has_upscaling, run

_SECONDS = 60.0
"""For one rehearsal. Lambda gives the whole initialisation before a snapshot at least 130 seconds."""
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="32" height="64"/></svg>'
_USED_LATER = (
    *("botocore.session", "encodings.idna", "handler.aws.client", "handler.aws.sdk", "handler.aws.secrets"),
    *("handler.storage.sources.boto_fallback", "handler.storage.sources.s3"),
)
"""What requests on AWS need, and neither building the application nor a request for a local file imports."""


def register() -> None:
    """Have the runtime client call `prepare` before the snapshot, and `renew` after each restore."""
    register_before_snapshot(prepare)
    register_after_restore(renew)


def prepare() -> None:
    """Import and open what requests need, without anything that expires or that must be unique.

    A fault of the settings or a process that cannot render raises an exception, so that no version is published.
    """
    settings = Settings.from_environment()
    check_drawing()
    _rehearse_requests()
    # For what it imports: `renew` builds the one that answers, and fetches the secrets, which no snapshot must hold.
    build(settings, prefetches=False)
    for name in _USED_LATER:
        import_module(name)
    if not settings.aws.heavy_function:
        _rehearse_models(settings)


def _rehearse_requests() -> None:
    """Answer a request for each format that is written, by an application with one local file and without AWS."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sample.svg").write_bytes(_SVG)
        application = build(Settings.from_environment({"SOURCE_BUCKETS": f"samples=file://{folder}"}))
        for name in WRITTEN:
            call = HttpRequest("GET", "/sample.svg", encoded=True, query=f"width=32&format={name}", headers={})
            answer = application.http.answer(call, Deadline.after(_SECONDS))
            if answer.status != 200:
                raise RuntimeError(f"a rehearsal of {name} was answered {int(answer.status)}: {answer.body[:300]!r}")


def _rehearse_models(settings: Settings) -> None:
    """Run the default model and the one of `upscale` once, if they are installed. Their sessions stay open."""
    weights = settings.weights_folder
    models = [("removeBackground", has_saliency(weights)), ("upscale", has_upscaling(weights))]
    for name, is_installed in models:
        if is_installed:
            deadline = Deadline.after(_SECONDS)
            context = Context(weights=weights, cutout_model=settings.cutout_model, deadline=deadline)
            run(_SVG, edits({name: {}}), Output(), context)


def renew() -> None:
    """Renew what copies of this process must not share, and all that has an age.

    Credentials, secrets, connections, caches and whatever reads the monotonic clock belong to the application, which
    is built again. The rest are the credential chain, TLS and the generators of random numbers. Names and tokens come
    from `os.urandom`, which differs between copies.
    """
    random.seed()
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed()
    renew_tls()
    forget_credentials()
    start()
