"""The tasks that the provider of the stack's custom resources gives to a function during a deployment.

The provider is a small function of its own (`template/provider/provider.py`), so that CloudFormation gets an answer
even if this container image does not start. Only principals that may invoke the function reach these tasks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from handler.aws.key_value_store import MAX_VALUE_BYTES, KeyValueStore
from handler.composition.factories import build_aws_access, open_secret
from handler.composition.pages import list_documents
from handler.composition.self_check import check_deployment
from handler.config import Settings, SettingsError
from handler.core.errors import HandlerError
from handler.pages import DEMO, GALLERY, Site
from handler.pages.demo_site import DemoSite
from handler.storage.results import open_results
from imaging import Deadline, FeatureError

SIGNING_KEYS = "signing-keys"
"""The key in that store, which `template/edge/viewer_request.js` reads."""
SITES: Mapping[str, Site] = {"demo": DEMO, "gallery": GALLERY}
"""What DEMO_SITES names. The path of a site is also its prefix in the bucket."""


def self_check(deadline: Deadline) -> dict[str, object]:
    """Return the faults and notes of the self-check."""
    report = check_deployment(deadline)
    return {"faults": report.faults, "notes": report.notes}


def fill_demo(deadline: Deadline) -> dict[str, object]:
    """Write the pages of DEMO_SITES, and the samples of the demo page, into DEMO_BUCKET; delete all others.

    Return the number of files, or the faults.
    """
    try:
        settings = Settings.from_environment()
        bucket = settings.storage.demo_bucket
        if not bucket:
            raise HandlerError("this function has no demo bucket: DEMO_BUCKET is not set", code="Configuration")
        store = open_results(f"demo=s3://{bucket}", "DEMO_BUCKET", aws=build_aws_access(settings))
        files = 0
        filled = [name for name in SITES if name in settings.storage.demo_sites]
        served = {*list_documents("demo" in filled), *(SITES[name].home for name in filled)}
        for name, site in SITES.items():
            pages = DemoSite(store, site.home.removeprefix("/"), site, served)
            files += pages.fill(deadline) if name in filled else pages.clear()
        return {"faults": [], "notes": [], "files": files}
    except SettingsError as error:
        return {"faults": str(error).splitlines(), "notes": []}
    except (FeatureError, HandlerError) as error:
        return {"faults": [f"the demo page: {error.message} ({error.detail})"], "notes": []}


def sync_signing_keys(_: Deadline) -> dict[str, object]:
    """Write the signing keys, the current and the previous one, into the store that the edge function reads.

    It runs at a deployment and every few minutes, so a rotation reaches the edge. Until then the edge passes on what it
    cannot verify, and the function verifies it.
    """
    try:
        settings = Settings.from_environment()
        aws, access = build_aws_access(settings), settings.access
        secret = open_secret(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
        if secret is None or not settings.aws.signing_keys_store:
            message = "SECRETS_MANAGER and SIGNING_KEYS_STORE must both be set"
            raise HandlerError(message, code="Configuration")
        secret.values()  # the first call fetches the current value only
        value = json.dumps(secret.values(refresh=True))
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise HandlerError(f"both keys must fit into {MAX_VALUE_BYTES} bytes of JSON", code="Configuration")
        changed = KeyValueStore(settings.aws.signing_keys_store, aws).put(SIGNING_KEYS, value)
        return {"faults": [], "notes": [], "changed": changed}
    except SettingsError as error:
        return {"faults": str(error).splitlines(), "notes": []}
    except HandlerError as error:
        return {"faults": [f"the signing keys of the edge: {error.message} ({error.detail})"], "notes": []}


TASKS: Mapping[str, Callable[[Deadline], dict[str, object]]] = {
    "self-check": self_check,
    "fill-demo": fill_demo,
    "sync-signing-keys": sync_signing_keys,
}
"""Each task by its name."""
