"""Warm calls: the same picture asked of each program in turn."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench import extent, pictures
from bench.cases import Case, geometric_mean
from bench.peers import Peer, Took
from bench.pictures import Image, Picture
from bench.similarity import Similarity, lossless_resize, similarity

ROUNDS, AVIF_ROUNDS = 11, 5


@dataclass(frozen=True)
class Measured:
    """One program and one picture."""

    peer: str
    picture: str
    milliseconds: float
    """Median."""
    ratio: float
    """Median of the paired ratios to sharp's time."""
    cpu: float | None
    """Median of the paired ratios to sharp's CPU time."""
    size: int
    similarity: Similarity


def measure(case: Case, peers: Sequence[Peer], sharp: str = "sharp") -> list[Measured]:
    """Every program with every picture of a case; the first rounds of each warm it up and do not count."""
    return [measured for picture in case.pictures for measured in _measure_picture(case, picture, peers, sharp)]


def _measure_picture(case: Case, picture: Picture, peers: Sequence[Peer], sharp: str) -> list[Measured]:
    reference = lossless_resize(pictures.make(picture).read_bytes(), case.width)
    answers = {peer.name: _answer(case, picture, peer, reference) for peer in peers}
    took: dict[str, list[Took]] = {peer.name: [] for peer in peers}
    for turn in range(extent.rounds(AVIF_ROUNDS if case.format == "avif" else ROUNDS)):
        for peer in peers if turn % 2 else reversed(peers):
            took[peer.name].append(peer.ask(case, picture))
    return [
        Measured(
            peer.name,
            picture.subject,
            statistics.median(each.wall for each in took[peer.name]),
            statistics.median(a.wall / b.wall for a, b in zip(took[peer.name], took[sharp], strict=True)),
            _cpu_ratio(took[peer.name], took[sharp]),
            *answers[peer.name],
        )
        for peer in peers
    ]


def _cpu_ratio(took: list[Took], sharp: list[Took]) -> float | None:
    pairs = [a.cpu / b.cpu for a, b in zip(took, sharp, strict=True) if a.cpu is not None and b.cpu is not None]
    return statistics.median(pairs) if pairs else None


def _answer(case: Case, picture: Picture, peer: Peer, reference: Image) -> tuple[int, Similarity]:
    out = pictures.CACHE / f"answer.{case.format}"
    peer.ask(case, picture, out)
    peer.ask(case, picture)
    body = out.read_bytes()
    return len(body), similarity(body, reference)


def mean_ratio(measured: Sequence[Measured], peer: str) -> float:
    """Geometric mean over the pictures of a case."""
    return geometric_mean([each.ratio for each in measured if each.peer == peer])
