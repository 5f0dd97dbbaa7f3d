"""Pieces of work on several cores, put together by part and situation."""

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np

from benchmarks.validate.work import Arrays, Piece

Seen = dict[str, dict[str, Arrays]]
"""What every run showed, by part and situation."""


def work(piece: Piece) -> Arrays:
    with np.errstate(all="ignore"):
        return piece()


def done(pieces: Sequence[Piece], processes: int, progress: Callable[[int], None]) -> Seen:
    """Do all of them, the longest first; the result is in their order, whichever was ready first. progress: is told
    the cost of what is done."""
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))  # a core a process
    results: dict[int, Arrays] = {}
    so_far = 0
    # Begun anew rather than forked, so that the line above is heeded.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        longest_first = sorted(range(len(pieces)), key=lambda number: -pieces[number].cost)
        waiting = {pool.submit(work, pieces[number]): number for number in longest_first}
        for ready in as_completed(waiting):
            number = waiting[ready]
            results[number] = ready.result()
            so_far += pieces[number].cost
            progress(so_far)
    gathered: dict[str, dict[str, list[Arrays]]] = defaultdict(lambda: defaultdict(list))
    for number, piece in enumerate(pieces):
        gathered[piece.part][piece.situation].append(results[number])
    return {
        part: {situation: _joined(chunks) for situation, chunks in situations.items()}
        for part, situations in gathered.items()
    }


def _joined(chunks: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([one[name] for one in chunks]) for name in chunks[0]}
