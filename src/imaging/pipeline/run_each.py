"""Several runs of the engine on one original, which is decoded once for all of them where memory allows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from imaging.codecs.decode import at_resolution, inspect, loaded_size, source_at_fault
from imaging.codecs.decode.color import in_srgb
from imaging.context import Context
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, FeatureError, TooLarge
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture, Report
from imaging.pipeline.apply import Rendered, apply_and_encode, decode_original, order_steps, read_metadata
from imaging.pipeline.budget import refuse_beyond_budget, with_inspected
from imaging.pipeline.feature import Step, preshrink_of
from imaging.pipeline.repair import repair
from imaging.pipeline.run import run, smaller_of, without_decoding


class Job(msgspec.Struct, frozen=True):
    """One of several runs on the same original; all of them have the same limits and deadline."""

    steps: Sequence[Step]
    output: Output
    context: Context


class _Plan(msgspec.Struct, frozen=True):
    """A job that needs the pixels of the original."""

    number: int
    job: Job
    steps: Sequence[Step]
    shrink: float
    """The factor by which the decoder may reduce the original for this job."""
    loaded: tuple[int, tuple[int, int]]
    """How many frames the decoder would read, and their width and height."""


def run_each(original: bytes, jobs: Sequence[Job]) -> Iterator[tuple[int, Rendered | Report | FeatureError]]:
    """Yield the number of each job with its result, or with the error of that job, in any order.

    Jobs that need the same frames share one decoding: the original is then decoded as large as the largest of them
    needs it, and its pixels are held in memory until the last of them. Raise FeatureError if the original itself
    cannot be read.
    """
    source = inspect(original, jobs[0].context.limits, jobs[0].context.deadline)
    jobs = [_settled(original, source, job) for job in jobs]
    groups: dict[tuple[int, int | None], list[_Plan]] = {}
    alone = []
    for number, job in enumerate(jobs):
        steps = order_steps(job.steps, source, job.output)
        # A drawing at a resolution of its own shares no pixels.
        has_own_size = at_resolution(source, job.output) is not source
        if has_own_size or (
            not steps
            and (job.output.negotiates or without_decoding(original, source, job.output, job.context) is not None)
        ):
            alone.append(number)
            continue
        shrink = preshrink_of(steps, source)
        plan = _Plan(number, job, steps, shrink, loaded_size(source, job.output, shrink))
        groups.setdefault((plan.loaded[0], job.output.page), []).append(plan)
    for plans in groups.values():
        if len(plans) > 1:
            for number, outcome in _run_together(original, source, plans):
                if outcome is None:
                    alone.append(number)
                else:
                    yield number, outcome
        else:
            alone.append(plans[0].number)
    # The pixels that a group has shared are free again here.
    for number in alone:
        yield number, _run_alone(original, jobs[number])


def _settled(original: bytes, source: ImageHeader, job: Job) -> Job:
    """Return the job with `hdr=keep` only where its result keeps a gain map."""
    if job.output.hdr == "sdr":
        return job
    from imaging.pipeline.hdr import settle_hdr  # noqa: PLC0415 - most requests keep no gain map

    steps = order_steps(job.steps, source, job.output)
    output, _ = settle_hdr(original, source, steps, job.output, job.context)
    return msgspec.structs.replace(job, output=output)


def _run_alone(original: bytes, job: Job) -> Rendered | Report | FeatureError:
    try:
        return run(original, job.steps, job.output, job.context)
    except FeatureError as error:
        return error


def _run_together(
    original: bytes, source: ImageHeader, plans: Sequence[_Plan]
) -> Iterator[tuple[int, Rendered | Report | FeatureError | None]]:
    """Yield the outcome of each plan from pixels that are decoded once; None where that fails."""
    # The largest needs the most pixels. A drawing has no pixels of its own: it is drawn at the largest scale.
    largest = max(plans, key=lambda plan: (plan.loaded[1][0] * plan.loaded[1][1], -plan.shrink))
    shrink = min(plan.shrink for plan in plans)
    context, output = largest.job.context, largest.job.output
    try:
        with source_at_fault(original, source, output, context):
            picture = decode_original(original, source, output, context, shrink)
            with watched(picture.image, context.deadline):
                if not all(plan.steps and not plan.steps[0].needs_srgb for plan in plans):
                    picture = in_srgb(picture)
                picture = picture.in_memory()
    except (TooLarge, DamagedSource) as error:
        # Alone, each has less to hold, and repairs the file.
        if isinstance(error, DamagedSource) and repair(original, context) is None:
            raise
        for plan in plans:
            yield plan.number, None
        return
    held = picture.image.width * picture.image.height * picture.image.bands
    for plan in plans:
        yield plan.number, _run_on(original, source, picture, held, plan)


def _run_on(
    original: bytes, source: ImageHeader, picture: Picture, held: int, plan: _Plan
) -> Rendered | Report | FeatureError | None:
    """Return the outcome of a plan on pixels that stay in memory; None if there is not enough memory beside them."""
    limits = plan.job.context.limits
    context = msgspec.structs.replace(with_inspected(plan.steps, plan.job.context), original=original)
    try:
        beside = msgspec.structs.replace(context, limits=msgspec.structs.replace(limits, memory=limits.memory - held))
        refuse_beyond_budget(original, source, plan.steps, plan.job.output, beside, plan.shrink)
    except TooLarge:
        return None
    try:
        with source_at_fault(original, source, plan.job.output, context):
            metadata = read_metadata(original, source, plan.steps, plan.job.output, context)
            outcome = apply_and_encode(picture, plan.steps, plan.job.output, context, metadata)
        if isinstance(outcome, Report):
            return outcome
        return smaller_of(outcome, original, plan.steps, plan.job.output, context)
    except FeatureError as error:
        return error
