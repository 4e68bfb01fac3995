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

"""Every measure against the implementation that is published with its definition."""

import importlib
import json
from pathlib import Path

from published import PUBLISHED
import pytest
from scored_scenes import CARD, load_scenes
from seg_ros.core.errors import SegError
from seg_ros.metrics.boundary import Boundary
from seg_ros.metrics.confusion import ConfusionMatrix
from seg_ros.metrics.mask_ap import MaskAp
from seg_ros.metrics.overlap import overlap_of, partition_of
from seg_ros.metrics.panoptic_quality import PanopticQuality

SCENES, SAID = load_scenes(Path(__file__).parents[1] / 'fixtures' / 'quality.npz')


def said_by(name, folder, live):
    if not live:
        return json.loads(SAID)[name]
    pytest.importorskip(name, reason=f'{name} is not installed')
    return PUBLISHED[name](SCENES, folder)


@pytest.fixture(params=['recorded', 'live'])
def live(request):
    return request.param == 'live'


def by_id(per_class):
    return {str(class_id): value for class_id, value in per_class.items()}


def test_panoptic_quality_is_that_of_panopticapi(live, tmp_path):
    quality = PanopticQuality(CARD)
    for scene in SCENES:
        parts = (partition_of(item, CARD) for item in scene.segmentations())
        quality.add(overlap_of(*parts, frozenset({scene.crowd} - {0})))
    expected = said_by('panopticapi', tmp_path, live)
    for name, value in quality.figures().items():
        assert value == pytest.approx(expected[name], abs=1e-12)
    occurring = {key: row for key, row in expected['per_class'].items() if key != '4'}
    assert by_id(quality.per_class()) == {
        key: pytest.approx(row, abs=1e-12) for key, row in occurring.items()
    }
    assert 0.2 < expected['pq'] < 0.9


def test_the_mean_intersection_over_union_is_that_of_scikit_learn(live, tmp_path):
    confusion = ConfusionMatrix(CARD)
    for scene in SCENES:
        confusion.add(scene.true_classes, scene.found_classes)
    expected = said_by('sklearn', tmp_path, live)
    assert by_id(confusion.per_class()) == pytest.approx(expected['per_class'], abs=1e-12)
    assert confusion.figures()['miou'] == pytest.approx(expected['miou'], abs=1e-12)


def test_contour_accuracy_is_that_of_davis(live, tmp_path):
    boundary = Boundary(CARD)
    for scene in SCENES:
        boundary.add(scene.true_classes, scene.found_classes)
    expected = said_by('davis2017', tmp_path, live)
    assert by_id(boundary.per_class()) == pytest.approx(expected['per_class'], abs=1e-12)
    assert boundary.figures()['boundary_f'] == pytest.approx(expected['boundary_f'], abs=1e-12)


def test_average_precision_is_that_of_pycocotools(live, tmp_path):
    pytest.importorskip('pycocotools', reason='pycocotools is not installed')
    precision = MaskAp(CARD)
    for scene in SCENES:
        precision.add(*scene.segmentations(), frozenset({scene.crowd} - {0}))
    figures, _ = precision.evaluate()
    expected = said_by('pycocotools', tmp_path, live)
    assert figures == pytest.approx(expected, abs=1e-9)
    assert 0.05 < expected['ap'] < expected['ap50'] < 0.5


def test_without_pycocotools_average_precision_says_what_to_install(monkeypatch):
    monkeypatch.setitem(importlib.sys.modules, 'pycocotools', None)
    with pytest.raises(SegError, match=r'pip install .seg_ros\[eval\]'):
        MaskAp(CARD)
