import numpy as np
from plain_nms import plain_nms
import pytest
from seg_ros.compile.nms import DEPTH, greedy_nms
from seg_ros.compile.nms_loop import with_nms_loop
from seg_ros.compile.subgraph import build_subgraph
from spox import argument, Tensor
from tiny_networks import run_model


@pytest.fixture(params=['row', 'loop'])
def kept_by_graph(request):
    """Run the graph on boxes (N, M, 4), best first: as TensorRT gets it, and as CPUs do."""
    if request.param == 'row':
        return lambda *arguments: kept(nms_graph, *arguments)
    return lambda *arguments: kept(looped, *arguments)


def nms_graph(count, iou):
    arguments = {
        'boxes': argument(Tensor(np.float32, ('N', count, 4))),
        'classes': argument(Tensor(np.float32, ('N', count))),
        'alive': argument(Tensor(np.float32, ('N', count))),
    }
    keep = greedy_nms(*arguments.values(), count, iou)
    return build_subgraph('nms', arguments, {'keep': keep}, 17)


def looped(count, iou):
    model = with_nms_loop(nms_graph(count, iou))
    assert [node.op_type for node in model.graph.node].count('Loop') == 1
    assert not any(node.op_type == 'MatMul' for node in model.graph.node)
    return model


def kept(graph, boxes, classes, iou, alive=None):
    alive = np.ones(classes.shape) if alive is None else alive
    feeds = {'boxes': boxes, 'classes': classes, 'alive': alive}
    feeds = {name: array.astype(np.float32) for name, array in feeds.items()}
    return run_model(graph(boxes.shape[1], iou), feeds)['keep']


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
def test_a_fence_of_boxes_keeps_every_second_one(kept_by_graph, count):
    boxes, classes = fence(count, 0.3), np.zeros(count)
    keep = kept_by_graph(boxes[None], classes[None], 0.45)[0]
    assert np.flatnonzero(keep).tolist() == plain_nms(boxes, classes, 0.45)
    assert np.flatnonzero(keep).tolist() == list(range(0, count, 2))


def test_the_loop_follows_chains_of_any_length():
    boxes, classes = fence(3 * DEPTH, 0.3), np.zeros(3 * DEPTH)
    keep = kept(looped, boxes[None], classes[None], 0.45)[0]
    assert np.flatnonzero(keep).tolist() == list(range(0, 3 * DEPTH, 2))


def test_the_loop_gives_the_same_in_openvino():
    ov = pytest.importorskip('openvino', reason='OpenVINO is not installed')
    boxes, classes = clutter(0, count=120)
    feeds = {'boxes': boxes[None], 'classes': classes[None].astype(np.float32),
             'alive': np.ones((1, 120), np.float32)}
    core = ov.Core()
    network = core.compile_model(core.read_model(looped(120, 0.5).SerializeToString()), 'CPU')
    (keep,) = network(feeds).values()
    assert np.flatnonzero(keep[0]).tolist() == plain_nms(boxes, classes, 0.5)


def test_a_graph_without_suppression_stays_as_it_is():
    model = nms_graph(1, 0.5)
    assert with_nms_loop(model) is model


@pytest.mark.parametrize(('objects', 'jitter'), [(3, 0.3), (5, 0.05), (20, 0.25), (100, 0.2)])
def test_random_clutter_is_suppressed_as_greedily_as_by_a_loop(kept_by_graph, objects, jitter):
    scenes = [clutter(seed, objects=objects, jitter=jitter) for seed in range(6)]
    boxes, classes = (np.stack(parts) for parts in zip(*scenes, strict=True))
    keep = kept_by_graph(boxes, classes, 0.5)
    for index in range(len(scenes)):
        expected = plain_nms(boxes[index], classes[index], 0.5)
        assert np.flatnonzero(keep[index]).tolist() == expected
        assert len(expected) < len(classes[index])


def test_boxes_of_different_classes_leave_each_other_alone(kept_by_graph):
    boxes = np.repeat(fence(1, 0), 3, axis=0)
    keep = kept_by_graph(boxes[None], np.array([[0, 1, 1]]), 0.5)
    np.testing.assert_array_equal(keep, [[1, 1, 0]])


def test_an_empty_slot_neither_stays_nor_suppresses(kept_by_graph):
    boxes = np.repeat(fence(1, 0), 3, axis=0)
    keep = kept_by_graph(boxes[None], np.zeros((1, 3)), 0.5, np.array([[0, 1, 1]]))
    np.testing.assert_array_equal(keep, [[0, 1, 0]])


def test_an_overlap_of_exactly_the_threshold_is_kept(kept_by_graph):
    boxes = np.array([[0, 0, 2, 1], [0, 0, 1, 1]], np.float32)
    np.testing.assert_array_equal(kept_by_graph(boxes[None], np.zeros((1, 2)), 0.5), [[1, 1]])


def test_boxes_without_area_do_not_suppress(kept_by_graph):
    boxes = np.full((1, 2, 4), 5, np.float32)
    np.testing.assert_array_equal(kept_by_graph(boxes, np.zeros((1, 2)), 0.5), [[1, 1]])
