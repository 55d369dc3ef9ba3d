"""Build the gallery from the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from features import ORDER
from handler.aws import AwsAccess
from handler.composition.factories import open_secret
from handler.composition.pages import list_documents
from handler.composition.processing import ProcessingParts
from handler.config import Settings
from handler.entrypoints.http import HttpEntrypoint
from handler.requests import dialects
from handler.requests.policy import Policy
from handler.response import Answer
from handler.storage.sources import StoreLocation, read_locations
from imaging import FORMATS, MEDIA_TYPES, TimeExceeded, Unavailable

if TYPE_CHECKING:
    from handler.core.ports import SecretSource
    from handler.entrypoints.gallery.entrypoint import GalleryEntrypoint
    from handler.entrypoints.gallery.originals import GalleryOriginals
    from handler.entrypoints.gallery.session import GallerySession
    from handler.gallery.gallery import Gallery
    from handler.gallery.limits import HourlyLimits
    from handler.gallery.recipes import GalleryRecipe
    from handler.gallery.uploads import GalleryUploads
    from handler.gallery.visitors import VisitorCookies
    from handler.storage.upload_stores import UploadStore
    from handler.uploads.ingest.ingest import Ingest

_NO_KEY = "0"
"""A key that no picture has."""
_MODEL = "u2net.onnx"
"""The weights without which no background can be removed."""


def find_faults(settings: Settings, policy: Policy) -> Iterator[str]:
    """Yield why the gallery cannot work with these settings."""
    source = settings.gallery.gallery_source
    locations = read_locations(settings.storage.source_buckets)
    names = [location.name for location in locations if location.scheme in ("file", "s3")]
    if source not in names:
        yield f"GALLERY_SOURCE must name a source in S3 or in a folder ({', '.join(names) or 'none'}), got `{source}`"
    if not any(dialect.name == dialects.OF_GALLERY for dialect in policy.dialects):
        yield f"GALLERY_SOURCE needs {dialects.OF_GALLERY} in DIALECTS"
    if policy.presets_only:
        yield "GALLERY_SOURCE needs PRESETS_ONLY=No, because results are URLs with edits"
    if settings.gallery.gallery_recipes:
        from handler.gallery.built_in import BUILT_IN, find_unknown_recipe  # noqa: PLC0415 - most galleries have the usual recipes

        if unknown := find_unknown_recipe(settings.gallery.gallery_recipes, policy.presets):
            known = ", ".join((*BUILT_IN, *policy.presets))
            yield f"GALLERY_RECIPES must name built-in recipes or presets ({known}), got `{unknown}`"


def build_gallery(
    http: HttpEntrypoint, settings: Settings, aws: AwsAccess, processing: ProcessingParts
) -> Callable[[], GalleryEntrypoint] | None:
    """Return a function that builds the gallery at its first request, with the policy and the caches of `http`.

    None without a database or a secret.
    """
    access = settings.access
    secret = open_secret(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
    if secret is None or processing.records is None:
        return None  # `Settings.conflicts` has reported it
    parts = _GalleryParts(settings, aws, http, processing, secret)
    return cache(parts.build)


class _GalleryParts(msgspec.Struct, frozen=True, gc=False):
    """Builds the parts of the gallery."""

    settings: Settings
    aws: AwsAccess
    http: HttpEntrypoint
    processing: ProcessingParts
    secret: SecretSource

    def __hash__(self) -> int:
        return id(self)

    def build(self) -> GalleryEntrypoint:
        """Return the entrypoint of the gallery."""
        from handler.entrypoints.gallery.entrypoint import GalleryEntrypoint  # noqa: PLC0415 - no image needs it
        from handler.entrypoints.gallery.pictures import GalleryPages  # noqa: PLC0415 - as above
        from handler.entrypoints.gallery.uploads import GalleryUploadPages  # noqa: PLC0415 - as above
        from handler.storage.upload_stores import open_upload_store  # noqa: PLC0415 - as above

        store = open_upload_store(self._location(), self.aws)
        gallery = self._build_gallery(self._build_originals(store))
        cookies, limits = self._build_cookies(), self._build_limits()
        return GalleryEntrypoint(
            session=self._build_session(gallery, cookies, limits),
            pages=GalleryPages(gallery=gallery, limits=limits, user_limit=self.settings.gallery.user_limit),
            uploads=GalleryUploadPages(uploads=self._build_uploads(gallery, store, limits)),
            cookies=cookies,
            files=cache(self.list_files),
            behind_cdn=self.http.origin is not None,
        )

    def list_files(self) -> Mapping[str, Callable[[], Answer]]:
        """Return the files of the gallery's page by their paths."""
        from handler import pages  # noqa: PLC0415 - no image needs it
        from handler.storage.upload_stores import UploadAttributes, open_upload_store  # noqa: PLC0415 - as above

        origins: list[str] = []
        if self._uploads_to_store():
            now = datetime.now(UTC)
            store = open_upload_store(self._location(), self.aws)
            store.head(_NO_KEY)  # finds out the region, which is a part of the address
            form = store.presigned_post(_NO_KEY, UploadAttributes(), (1, 1), now, now + timedelta(minutes=1))
            origins += [f"{url.scheme}://{url.netloc}" for url in [urlsplit(form.url)]] if form is not None else []
        # A function serves no demo page: that is in a bucket, which has a page of the gallery as well.
        has_demo = not self.settings.process.function_name and pages.HOME in pages.demo()
        return pages.gallery(origins, served={*list_documents(has_demo), *([pages.HOME] if has_demo else [])})

    def _build_gallery(self, originals: GalleryOriginals) -> Gallery:
        from handler.auth.signature import Signatures  # noqa: PLC0415 - see `build`
        from handler.gallery.edits import EditRules  # noqa: PLC0415 - see `build`
        from handler.gallery.gallery import Gallery  # noqa: PLC0415 - see `build`
        from handler.gallery.links import Links  # noqa: PLC0415 - see `build`
        from handler.gallery.pictures import PictureView  # noqa: PLC0415 - see `build`

        assert self.processing.records is not None  # noqa: S101 - `add_gallery` has checked it
        settings, policy, objects = self.settings, self.http.policy, self.http.render_context.objects
        source, life = settings.gallery.gallery_source, timedelta(days=settings.gallery.gallery_expire_days)
        recipes = _read_recipes(settings, policy)
        offered = {name for recipe in recipes.values() for name in recipe.features}
        rules = EditRules(
            source=source,
            private_sources=settings.private_sources,
            resolve=objects.resolve,
            features=frozenset({*policy.public_features, *offered}),
        )
        links = Links(source, Signatures(self.secret).signed_url)
        view = PictureView(links=links, recipes=recipes, life=life)
        return Gallery(
            records=self.processing.records(), source=source, recipes=recipes, rules=rules, links=links, view=view,
            originals=originals, life=life,
        )  # fmt: skip

    def _build_originals(self, store: UploadStore) -> GalleryOriginals:
        from handler.composition.operator import build_intake  # noqa: PLC0415 - see `build`
        from handler.entrypoints.gallery.originals import GalleryOriginals  # noqa: PLC0415 - see `build`
        from handler.uploads.jobs.reprocess_queue import ReprocessQueue  # noqa: PLC0415 - see `build`

        queue = ReprocessQueue(url, self.aws) if (url := self.settings.records.upload_queue) else None
        return GalleryOriginals(store, build_intake(self.settings, self.processing), queue)

    def _build_uploads(self, gallery: Gallery, store: UploadStore, limits: HourlyLimits) -> GalleryUploads:
        from handler.gallery.uploads import GalleryUploads  # noqa: PLC0415 - see `build`

        # What this service takes itself it also processes, so that a store on Kubernetes needs to send no events.
        takes_all = self.settings.ingest.upload_urls == "server"
        background = self.processing.background if takes_all or not store.sends_events else None
        return GalleryUploads(
            gallery=gallery,
            ingest=self._build_ingest(store),
            limits=limits,
            user_limit=self.settings.gallery.user_limit,
            max_bytes=self.settings.gallery.gallery_max_bytes or None,
            submit=background.process_in_background if background is not None else None,
            check=background.check if background is not None else lambda: None,
        )

    def _build_ingest(self, store: UploadStore) -> Ingest:
        from handler.auth.derived_secret import DerivedSecret  # noqa: PLC0415 - see `build`
        from handler.uploads.ingest.form_policy import FormSigner  # noqa: PLC0415 - see `build`
        from handler.uploads.ingest.ingest import Ingest  # noqa: PLC0415 - see `build`

        settings = self.settings
        return Ingest(
            settings.gallery.gallery_source,
            store,
            "",
            settings.limits.max_source_bytes,
            # A form of the gallery is not one of /_api/uploads, which leads to another source.
            FormSigner(DerivedSecret(self.secret, "gallery upload")),
            takes_all=settings.ingest.upload_urls == "server",
        )

    def _build_cookies(self) -> VisitorCookies:
        from handler.auth.derived_secret import DerivedSecret  # noqa: PLC0415 - see `build`
        from handler.gallery.visitors import VisitorCookies  # noqa: PLC0415 - see `build`

        life = timedelta(days=self.settings.gallery.gallery_expire_days)
        return VisitorCookies(DerivedSecret(self.secret, "gallery visitor"), life)

    def _build_limits(self) -> HourlyLimits:
        from handler.auth.derived_secret import DerivedSecret  # noqa: PLC0415 - see `build`
        from handler.gallery.limits import HourlyLimits  # noqa: PLC0415 - see `build`

        assert self.processing.records is not None  # noqa: S101 - `add_gallery` has checked it
        return HourlyLimits(
            counters=self.processing.records().counters,
            secret=DerivedSecret(self.secret, "gallery address"),
            uploads=self.settings.gallery.gallery_uploads_per_hour,
        )

    def _build_session(self, gallery: Gallery, cookies: VisitorCookies, limits: HourlyLimits) -> GallerySession:
        from handler.entrypoints.gallery.session import GallerySession  # noqa: PLC0415 - see `build`
        from handler.gallery.devices import DeviceCodes  # noqa: PLC0415 - see `build`

        own = self.settings.gallery
        password = open_secret(own.gallery_password, own.gallery_password_file, self.aws, "PASSWORD")
        facts: dict[str, Any] = {
            "limits": {
                "pictures": own.user_limit,
                "bytes": self.settings.limits.max_source_bytes,
                "formats": sorted({MEDIA_TYPES[each.name] for each in FORMATS}),
                "uploadsPerHour": own.gallery_uploads_per_hour,
            },
            "expireDays": own.gallery_expire_days,
            "recipes": [
                {
                    "name": each.name,
                    "edits": dict(each.edits) or None,
                    "features": each.features,
                    "isExpensive": each.is_expensive,
                }
                for each in gallery.recipes.values()
            ],
            "fineTune": own.gallery_fine_tune,
            "uploads": "store" if self._uploads_to_store() else "server",
        }
        return GallerySession(
            gallery=gallery, cookies=cookies, codes=DeviceCodes(limits.counters), limits=limits, facts=facts,
            password=password, prepare=self._build_preparation(gallery.recipes.values()),
        )  # fmt: skip

    def _build_preparation(self, recipes: Iterable[GalleryRecipe]) -> Callable[[], None]:
        """Return what a server does when its first visitor comes: it opens the model before a recipe needs it.

        A function does not: it would be billed for each of its environments.
        """
        settings = self.settings
        has_model = any("removeBackground" in each.features for each in recipes)
        if settings.process.function_name or settings.aws.heavy_function or not has_model:
            return lambda: None
        return cache(partial(_open_in_background, settings.weights_folder))

    def _location(self) -> StoreLocation:
        locations = read_locations(self.settings.storage.source_buckets)
        return next(each for each in locations if each.name == self.settings.gallery.gallery_source)

    def _uploads_to_store(self) -> bool:
        """Whether browsers send pictures to the store itself."""
        return self._location().scheme == "s3" and self.settings.ingest.upload_urls == "store"


def _read_recipes(settings: Settings, policy: Policy) -> dict[str, GalleryRecipe]:
    from handler.gallery.recipes import read_recipes  # noqa: PLC0415 - no image needs it

    return read_recipes(settings.gallery.gallery_recipes, policy.presets, _can_run(settings))


def _open_in_background(weights: str) -> None:
    def open_model() -> None:
        from imaging import open_saliency  # noqa: PLC0415 - only a server with a gallery opens the model ahead

        with suppress(Unavailable, TimeExceeded):  # the first recipe that needs the model tells why
            open_saliency(weights)

    Thread(target=open_model, name="model").start()


def _can_run(settings: Settings) -> Callable[[str], bool]:
    """Return a function that tells whether a feature works in this service."""

    def can_run(feature: str) -> bool:
        if feature in ("removeBackground", "cutout"):
            return bool(settings.aws.heavy_function) or (Path(settings.weights_folder) / _MODEL).is_file()
        return feature in ORDER

    return can_run
