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

import numpy as np
from plain_nms import plain_nms
import pytest
from seg_ros.compile.nms import DEPTH, greedy_nms
from seg_ros.compile.subgraph import build_subgraph
from seg_ros.engines.greedy_nms import greedy_nms as host_nms
from spox import argument, Tensor
from tiny_networks import run_model


@pytest.fixture(params=['graph', 'host'])
def keeps(request):
    """Suppress among boxes (N, M, 4), best first: as a graph for GPUs does, and as CPUs do."""
    return kept_by_graph if request.param == 'graph' else kept_by_host


def nms_graph(count, iou):
    arguments = {
        'boxes': argument(Tensor(np.float32, ('N', count, 4))),
        'classes': argument(Tensor(np.float32, ('N', count))),
        'alive': argument(Tensor(np.float32, ('N', count))),
    }
    keep = greedy_nms(*arguments.values(), count, iou)
    return build_subgraph('nms', arguments, {'keep': keep}, 17)


def kept_by_graph(boxes, classes, iou, alive=None):
    alive = np.ones(classes.shape) if alive is None else alive
    feeds = {'boxes': boxes, 'classes': classes, 'alive': alive}
    feeds = {name: array.astype(np.float32) for name, array in feeds.items()}
    return run_model(nms_graph(boxes.shape[1], iou), feeds)['keep']


def kept_by_host(boxes, classes, iou, alive=None):
    keep = np.zeros(classes.shape)
    for image, slots in enumerate(np.ones(classes.shape) if alive is None else alive):
        there = np.flatnonzero(slots)
        kept = host_nms(boxes[image, there], classes[image, there], iou)
        keep[image, there[kept]] = 1
    return keep


def fence(count, shift):
    """Make equal boxes in a row, each shifted by a share of its width."""
    x0 = 100 * shift * np.arange(count, dtype=np.float32)
    return np.stack([x0, np.zeros_like(x0), x0 + 100, np.full_like(x0, 50)], axis=1)


def clutter(seed, count=300, objects=20, jitter=0.15, classes=3):
    """Make boxes that crowd around a few objects, best first."""
    random = np.random.default_rng(seed)
    center, side = random.uniform(50, 590, (objects, 2)), random.uniform(20, 160, (objects, 2))
    which = random.integers(0, objects, count)
    boxes = np.concatenate([center[which] - side[which] / 2, center[which] + side[which] / 2], 1)
    boxes += random.normal(0, jitter, (count, 4)) * np.tile(side[which], 2)
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([low, high], axis=1).astype(np.float32), which % classes


@pytest.mark.parametrize('count', [2, 60, DEPTH])
def test_a_fence_of_boxes_keeps_every_second_one(keeps, count):
    boxes, classes = fence(count, 0.3), np.zeros(count)
    keep = keeps(boxes[None], classes[None], 0.45)[0]
    assert np.flatnonzero(keep).tolist() == plain_nms(boxes, classes, 0.45)
    assert np.flatnonzero(keep).tolist() == list(range(0, count, 2))


def test_the_host_follows_chains_of_any_length():
    boxes, classes = fence(3 * DEPTH, 0.3), np.zeros(3 * DEPTH)
    assert host_nms(boxes, classes, 0.45).tolist() == list(range(0, 3 * DEPTH, 2))


def test_the_host_keeps_all_where_nothing_is_to_be_suppressed():
    assert host_nms(np.repeat(fence(1, 0), 3, axis=0), np.zeros(3), 0).tolist() == [0, 1, 2]


@pytest.mark.parametrize(('objects', 'jitter'), [(3, 0.3), (5, 0.05), (20, 0.25), (100, 0.2)])
def test_random_clutter_is_suppressed_as_greedily_as_by_a_loop(keeps, objects, jitter):
    scenes = [clutter(seed, objects=objects, jitter=jitter) for seed in range(6)]
    boxes, classes = (np.stack(parts) for parts in zip(*scenes, strict=True))
    keep = keeps(boxes, classes, 0.5)
    for index in range(len(scenes)):
        expected = plain_nms(boxes[index], classes[index], 0.5)
        assert np.flatnonzero(keep[index]).tolist() == expected
        assert len(expected) < len(classes[index])


def test_boxes_of_different_classes_leave_each_other_alone(keeps):
    boxes = np.repeat(fence(1, 0), 3, axis=0)
    keep = keeps(boxes[None], np.array([[0, 1, 1]]), 0.5)
    np.testing.assert_array_equal(keep, [[1, 1, 0]])


def test_an_empty_slot_neither_stays_nor_suppresses(keeps):
    boxes = np.repeat(fence(1, 0), 3, axis=0)
    keep = keeps(boxes[None], np.zeros((1, 3)), 0.5, np.array([[0, 1, 1]]))
    np.testing.assert_array_equal(keep, [[0, 1, 0]])


def test_an_overlap_of_exactly_the_threshold_is_kept(keeps):
    boxes = np.array([[0, 0, 2, 1], [0, 0, 1, 1]], np.float32)
    np.testing.assert_array_equal(keeps(boxes[None], np.zeros((1, 2)), 0.5), [[1, 1]])


def test_boxes_without_area_do_not_suppress(keeps):
    boxes = np.full((1, 2, 4), 5, np.float32)
    np.testing.assert_array_equal(keeps(boxes, np.zeros((1, 2)), 0.5), [[1, 1]])
