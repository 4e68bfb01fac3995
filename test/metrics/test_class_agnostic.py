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

"""Objects of whatever class, against a search through all pairs of masks."""

from pathlib import Path

import numpy as np
import pytest
from scored_scenes import CARD, load_scenes, VOID
from seg_ros.metrics.class_agnostic import ClassAgnosticQuality
from seg_ros.metrics.overlap import overlap_of, partition_of

SCENES, _ = load_scenes(Path(__file__).parents[1] / 'fixtures' / 'quality.npz')


def plain_objects(scene):
    """Return each true object's area and its match's overlap or 0, and how many are wrong."""
    known = scene.true_classes != VOID
    true = {number: scene.true_instances == number
            for number in np.unique(scene.true_instances) if number}
    found = {number: scene.found_instances == number
             for number in np.unique(scene.found_instances) if number}
    rows, used = [], set()
    for number, mask in true.items():
        best = 0.0
        for other, guess in found.items():
            overlap = (mask & guess).sum() / (mask | (guess & known)).sum()
            if overlap > 0.5 and number != scene.crowd:
                best = overlap
                used.add(other)
        if number != scene.crowd:
            rows.append((int(mask.sum()), best))
    unknown = ~known | (scene.true_instances == (scene.crowd or -1))
    wrong = [number for number, guess in found.items()
             if number not in used and (guess & unknown).sum() <= guess.sum() / 2]
    return rows, len(wrong)


def test_objects_are_those_that_a_plain_search_finds():
    objects = ClassAgnosticQuality()
    rows, wrong = [], 0
    for scene in SCENES:
        parts = (partition_of(item, CARD) for item in scene.segmentations())
        objects.add(overlap_of(*parts, frozenset({scene.crowd} - {0})))
        more, others = plain_objects(scene)
        rows, wrong = rows + more, wrong + others
    areas, overlaps = (np.array(values) for values in zip(*rows, strict=True))
    hits = overlaps > 0
    figures = objects.figures()
    assert 10 < hits.sum() < len(hits) - 10
    assert figures['recall'] == pytest.approx(hits.mean())
    assert figures['precision'] == pytest.approx(hits.sum() / (hits.sum() + wrong))
    assert figures['sq'] == pytest.approx(overlaps[hits].mean())
    half_missed = 0.5 * (wrong + (~hits).sum())
    assert figures['pq'] == pytest.approx(overlaps.sum() / (hits.sum() + half_missed))
    for name, inside in (
        ('under_400', areas < 400), ('400_to_2500', (areas >= 400) & (areas <= 2500)),
        ('from_400', areas >= 400),
    ):
        assert figures[f'count_{name}'] == inside.sum() > 5
        assert figures[f'recall_{name}'] == pytest.approx(hits[inside].mean())
    assert (figures['count_over_2500'], figures['recall_over_2500']) == (0, None)


def test_without_an_image_nothing_is_claimed():
    figures = ClassAgnosticQuality().figures()
    assert figures['recall'] is figures['precision'] is None
    assert figures['count_from_400'] == 0
