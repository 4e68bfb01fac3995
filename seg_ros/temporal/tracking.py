# Copyright 2026 seg_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Tracking: each instance of an image keeps the id that it had in earlier images."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.segmentation import MAX_ID, Segment, Segmentation
from seg_ros.temporal.assignment import assign
from seg_ros.temporal.motion import Boxes, Motion
from seg_ros.temporal.overlap import box_overlap, coarse, mask_overlap, Outline

LOST_S = 2.0  # how long a track survives without being seen
_MARGIN = 0.4
_MASK_WEIGHT = 0.2
_OTHER_CLASS_WEIGHT = 0.5  # factor on the affinity of instances of different classes
_MIN_AFFINITY = 0.1


@dataclass
class Track:
    """A tracked instance; its box is the row of `Motion` with its index in the list of tracks."""

    id: int
    class_id: int
    seen_ns: int
    outline: Outline | None


class Tracker:
    """
    Tracks the instances of one camera.

    A new instance gets an id at once, and keeps it if it is out of sight for at most `LOST_S`. An
    id is reused only after all others: with fewer than a thousand new instances per second, not
    within a minute after it was last seen.
    """

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._motion = Motion()
        self._stamp_ns = 0
        self._retired: deque[int] = deque()
        self._ids = self._generate_ids()

    def _generate_ids(self) -> Iterator[int]:
        yield from range(1, MAX_ID + 1)
        while True:
            yield self._retired.popleft()

    def track(self, segmentation: Segmentation, stamp_ns: int) -> Segmentation:
        """
        Replace the ids of the next image's instances by track ids.

        :param stamp_ns: must be later than the previous image's.
        :returns: the same masks and segments with other ids.
        """
        self._advance(stamp_ns)
        small, segments = coarse(segmentation.instances), segmentation.segments
        xyxy = np.array([item.xyxy for item in segments], np.float64).reshape(-1, 4)
        pairs = assign(self._affinity(segments, xyxy, small), _MIN_AFFINITY)
        return renumbered(segmentation, self._update_tracks(pairs, segments, xyxy, small))

    def reset(self) -> None:
        """End all tracks; their ids are not taken over by later instances."""
        self._keep([])

    def _advance(self, stamp_ns: int) -> None:
        """Predict all tracks for the next image's time, and remove those lost for too long."""
        self._motion.advance((stamp_ns - self._stamp_ns) / 1e9)
        self._stamp_ns = stamp_ns
        self._keep([
            row for row, track in enumerate(self._tracks)
            if stamp_ns - track.seen_ns <= LOST_S * 1e9
        ])

    def _keep(self, rows: list[int]) -> None:
        if len(rows) == len(self._tracks):
            return
        kept = set(rows)
        self._retired.extend(
            track.id for row, track in enumerate(self._tracks) if row not in kept
        )
        self._tracks = [self._tracks[row] for row in rows]
        self._motion.keep(rows)

    def _affinity(
        self, segments: Sequence[Segment], xyxy: Boxes, small: NDArray[np.uint16] | None
    ) -> NDArray[np.float64]:
        """Return the affinity of each track with each new segment, float64 (N, M)."""
        if not self._tracks or not segments:
            return np.zeros((len(self._tracks), len(segments)))
        affinity = box_overlap(self._motion.xyxy, xyxy, _MARGIN)
        rows = _ambiguous_rows(affinity)
        if small is not None and rows:
            affinity[rows] += _MASK_WEIGHT * self._mask_overlap(rows, segments, small)
        before = np.array([track.class_id for track in self._tracks])
        now = np.array([segment.class_id for segment in segments])
        affinity[before[:, None] != now] *= _OTHER_CLASS_WEIGHT
        return affinity

    def _mask_overlap(
        self, rows: Sequence[int], segments: Sequence[Segment], small: NDArray[np.uint16]
    ) -> NDArray[np.float64]:
        """Return the overlap of masks; recently seen tracks are drawn over lost ones."""
        order = sorted(range(len(rows)), key=lambda index: self._tracks[rows[index]].seen_ns)
        sorted_rows = [rows[index] for index in order]
        overlap = np.empty((len(rows), len(segments)))
        overlap[order] = mask_overlap(
            [self._tracks[row].outline for row in sorted_rows],
            self._motion.centre_size[sorted_rows, :2], small,
            [segment.id for segment in segments],
        )
        return overlap

    def _update_tracks(
        self, pairs: Sequence[tuple[int, int]], segments: Sequence[Segment], xyxy: Boxes,
        small: NDArray[np.uint16] | None,
    ) -> list[int]:
        """Update paired tracks, start tracks for other segments, return each segment's id."""
        rows, columns = np.array(pairs, np.intp).reshape(-1, 2).T
        self._motion.correct(rows, xyxy[columns])
        followed = {column: self._tracks[row] for row, column in pairs}
        new = [column for column in range(len(segments)) if column not in followed]
        self._motion.add(xyxy[new])
        for column in new:
            followed[column] = Track(next(self._ids), 0, 0, None)
            self._tracks.append(followed[column])
        for column, segment in enumerate(segments):
            track = followed[column]
            track.class_id, track.seen_ns = segment.class_id, self._stamp_ns
            track.outline = None if small is None else Outline(small, segment)
        return [followed[column].id for column in range(len(segments))]


def renumbered(segmentation: Segmentation, ids: Sequence[int]) -> Segmentation:
    """Return a segmentation with other ids for its segments, in their order, and in its map."""
    segments = tuple(
        replace(segment, id=number)
        for segment, number in zip(segmentation.segments, ids, strict=True)
    )
    if segmentation.instances is None or not segments:
        return replace(segmentation, segments=segments)
    instances = np.zeros_like(segmentation.instances)
    for before, after in zip(segmentation.segments, segments, strict=True):
        x0, y0, x1, y1 = before.xyxy
        mask = segmentation.instances[y0:y1, x0:x1] == before.id
        np.copyto(instances[y0:y1, x0:x1], after.id, where=mask)
    return replace(segmentation, segments=segments, instances=instances)


def _ambiguous_rows(affinity: NDArray[np.float64]) -> list[int]:
    """Return tracks with several possible segments or a rival; only these need mask overlap."""
    possible = affinity >= _MIN_AFFINITY
    candidates = possible & (possible.sum(0) > 1)
    return list(np.flatnonzero((possible.sum(1) > 1) | candidates.any(1)).tolist())
