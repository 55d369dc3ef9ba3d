"""Records of originals for the operator: `/_api/records` and what is below it, and `/_api/events`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import get_args

import msgspec

from handler import response
from handler.core.errors import BadRequest, Busy, Conflict, Forbidden, HandlerError, NotFound
from handler.core.ports import ObjectStore
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.operator.change_intake import ChangeIntake
from handler.entrypoints.operator.page import Page, parse_limit, read_params
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.entrypoints.uploads.events import changes_in
from handler.entrypoints.uploads.store_events import parse_events
from handler.records.record import ImageRecord, Status, record_id
from handler.records.serialize import serialize_record
from handler.records.store import MAX_PAGE, RecordFilter, Records
from handler.response import Answer
from handler.storage.upload_stores import UploadStore
from handler.uploads.change import OriginalChange, make_forced_change
from handler.uploads.jobs.reprocess_queue import ReprocessQueue
from imaging import Deadline, FeatureError

DEFAULT_LISTED = 50
STATUSES: tuple[str, ...] = get_args(Status)
_RETRY_SECONDS = "10"
_MAX_REFUSED_KEY = 1024
"""Characters of the key of a refused event that the answer repeats."""


class RecordPages(msgspec.Struct, frozen=True):
    """The pages with which the operator sees and changes what is known of originals."""

    records: Records
    sources: tuple[str, ...]
    """Names of the sources, the default one first."""
    default_source: str
    """The source in which keys with a prefix are looked for if no source is named: that of uploads, if there is one."""
    changes: ChangeIntake | None
    """None if another function or a worker processes originals."""
    queue: ReprocessQueue | None
    """The queue of that function or worker; None without `UPLOAD_QUEUE`."""
    open_source: Callable[[str], UploadStore]
    """Opens a source of this name for writing. Raises ValueError for one that cannot be written."""
    variants: ObjectStore | None = None
    """The store of variants; None if this function may not read it."""

    def find(self, name: str) -> Page | None:
        """Return the page of a name; None if it is not about records."""
        match name.split("/"):
            case ["records"]:
                return Page(("GET",), self._list)
            case ["records", identifier]:
                return Page(("GET", "DELETE"), partial(self._answer_one, identifier))
            case ["records", identifier, "reprocess"]:
                return Page(("POST",), partial(self._reprocess, identifier))
            case ["records", identifier, "variants", number]:
                return Page(("GET",), partial(self._variant, identifier, number))
        return None

    def _list(self, call: HttpRequest, _: Deadline) -> Answer:
        """Return one page of records: in the order of their keys with a prefix, else the latest update first."""
        params = read_params(call, ("source", "prefix", "status", "owner", "limit", "cursor"))
        status, prefix, source = params.get("status"), params.get("prefix", ""), params.get("source", "")
        if status is not None and status not in STATUSES:
            raise BadRequest(f"`status` must be one of {', '.join(STATUSES)}, got {status[:60]!a}")
        if source and source not in self.sources:
            raise BadRequest(f"`source` must be one of {', '.join(self.sources)}, got {source[:60]!a}")
        which = RecordFilter(
            source=source or (self.default_source if prefix else ""), prefix=prefix, status=status,
            owner=params.get("owner", ""),
        )  # fmt: skip
        limit = parse_limit(params.get("limit"), DEFAULT_LISTED, MAX_PAGE)
        page = self.records.page(which, params.get("cursor", ""), limit)
        return response.report(
            {
                "sources": self.sources,
                "source": which.source,
                "records": [serialize_record(record) for record in page.records],
                "cursor": page.cursor,
            }
        )

    def _answer_one(self, identifier: str, call: HttpRequest, deadline: Deadline) -> Answer:
        record = self._get(identifier)
        if call.method == "DELETE":
            return self._delete(record, deadline)
        return response.report(serialize_record(record))

    def _reprocess(self, identifier: str, _: HttpRequest, deadline: Deadline) -> Answer:
        """Process an original again, as it is in its source now, or queue it."""
        record = self._get(identifier)
        return self._answer_change(identifier, self._change(record, _forced(record), deadline))

    def _delete(self, record: ImageRecord, deadline: Deadline) -> Answer:
        """Delete an original. The pipeline removes its variants, results and copies, as after any other deletion."""
        try:
            store = self.open_source(record.source)
        except ValueError:
            raise Conflict(f"source `{record.source}` is read only, so its originals cannot be deleted here") from None
        # A store that sends events reports the deletion to another function itself.
        is_reported = store.sends_events and self.changes is None
        if not is_reported:
            self._require_processing()
        change = msgspec.structs.replace(_forced(record), is_announced=not store.sends_events)
        if self.changes is not None:
            self.changes.prepare(change)
        try:
            store.delete(record.key)
        except HandlerError:
            if self.changes is not None:
                self.changes.accept(msgspec.structs.replace(change, force=False), deadline)
            raise
        return self._answer_change(record.id, {} if is_reported else self._change(record, change, deadline))

    def _change(self, record: ImageRecord, change: OriginalChange, deadline: Deadline) -> dict[str, object]:
        """Have an original processed again. Return what the answer tells beside the record: what was queued."""
        self._require_processing()
        if self.queue is not None:
            return {"queued": self.queue.send([record.id], deadline)}
        if self.changes is not None:
            self.changes.accept(change, deadline)
        return {}

    def _answer_change(self, identifier: str, more: dict[str, object]) -> Answer:
        return response.report({**serialize_record(self._get(identifier)), **more}, HTTPStatus.ACCEPTED)

    def _variant(self, identifier: str, number: str, _: HttpRequest, __: Deadline) -> Answer:
        """Return the bytes of a variant, by its position in the record."""
        variants = self._get(identifier).variants
        index = int(number[:9]) if number.isascii() and number.isdigit() else len(variants)
        stored = self.variants.get(variants[index].key) if self.variants and index < len(variants) else None
        if stored is None:
            raise NotFound(f"there is no variant {number[:20]!a} of this record that can be read here", code="NotFound")
        headers = response.headers_of_media_type(variants[index].media_type)
        headers |= {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Answer(HTTPStatus.OK, headers, stored.read())

    def _get(self, identifier: str) -> ImageRecord:
        record = self.records.get(identifier)
        if record is None:
            raise NotFound(f"there is no record `{identifier[:60]}`", code="NoSuchRecord")
        return record

    def _require_processing(self) -> None:
        """Raise HandlerError with status 501 if originals are processed neither here nor through a queue."""
        if self.queue is None and self.changes is None:
            raise HandlerError(
                "this function does not process originals: set OUTPUT_BUCKET, or UPLOAD_QUEUE for another one",
                code="Configuration",
                status=HTTPStatus.NOT_IMPLEMENTED,
            )


class EventPage(msgspec.Struct, frozen=True):
    """The page to which stores without EventBridge or SQS post their events."""

    changes: ChangeIntake
    get_uploads: Callable[[], UploadEntrypoint]

    def find(self, name: str) -> Page | None:
        """Return the page of a name; None if it is not about events."""
        return Page(("POST",), self._accept) if name == "events" else None

    def _accept(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Accept every event, and answer 200 only if each one is processed, recorded or refused for good."""
        accepted: list[dict[str, str]] = []
        refused: list[dict[str, str]] = []
        failures: list[FeatureError | HandlerError] = []
        foreign = ""
        for event in parse_events(call.body):
            for change in changes_in(event):
                ref = self.get_uploads().source_of(change.bucket, change.key)
                if ref is None:
                    foreign = change.bucket
                    continue
                try:
                    self.changes.accept(OriginalChange(ref=ref, sequencer=change.sequencer, kind=change.kind), deadline)
                    accepted.append({"id": record_id(*ref), "source": ref.bucket, "key": ref.key})
                except BadRequest as error:  # such as a key that no database stores: it would fail again
                    key = ref.key[:_MAX_REFUSED_KEY]
                    refused.append({"source": ref.bucket, "key": key, "code": error.code, "message": error.message})
                except (FeatureError, HandlerError) as error:
                    failures.append(error)
        if failures:
            message = f"{len(failures)} events could not be processed, {len(accepted)} were accepted: send them again"
            detail = failures[0].detail or failures[0].message
            headers = {"Retry-After": _RETRY_SECONDS}
            raise Busy(message, code="EventsNotProcessed", detail=detail, headers=headers)
        if foreign:
            message = f"bucket `{foreign[:80]}` sends events, but SOURCE_BUCKETS does not list it"
            raise Forbidden(message, code="ImageBucket::CannotAccessBucket")
        return response.report({"accepted": accepted, "refused": refused})


def _forced(record: ImageRecord) -> OriginalChange:
    return make_forced_change(record.source, record.key)
