"""Masks that are mixed on the host are those that the whole graph gives, where boxes are."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from seg_ros.bench.networks import instance_model
from seg_ros.compile.compiled import read_compiled
from seg_ros.compile.prototype_masks import mixture_of, without_mask_mixing
from seg_ros.compile.run_onnx import run_onnx
from seg_ros.core.settings import Settings
from seg_ros.engines import open_engine
from seg_ros.engines import prototype_masks as mixing_module


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return instance_model(tmp_path_factory.mktemp('mixing'), 12)[1]


@pytest.mark.parametrize('engine', ['openvino', 'onnxruntime'])
def test_masks_inside_boxes_equal_those_of_the_whole_graph(
    model: Path, engine: str
) -> None:
    batch = np.full((1, 640, 640, 3), 90, np.uint8)
    whole = run_onnx(onnx.load(model))({'image': batch})
    opened = open_engine(Settings(model=str(model), engine=engine, threads=1))
    outputs = opened.submit(batch).result()
    opened.close()
    assert outputs.masks is not None
    assert outputs.masks.shape == whole['masks'].shape
    filled = np.flatnonzero(whole['scores'][0] > 0)
    assert len(filled) == 12
    for slot in filled:
        x0, y0, x1, y1 = (whole['boxes'][0, slot] / 4).astype(int)
        inside = np.s_[0, slot, max(0, y0 - 1):y1 + 2, max(0, x0 - 1):x1 + 2]
        expected, seen = whole['masks'][inside].astype(int), outputs.masks[inside].astype(int)
        assert expected.any()
        assert np.abs(expected - seen).max() <= 1   # sums in another order


def test_a_probability_is_coded_as_in_the_graph(
    model: Path
) -> None:
    mixture = mixing_module.Mixture('c', 'p', (2, 4, 4), (16, 16), 'probability')
    random = np.random.default_rng(0)
    tensors = {
        'boxes': np.array([[[0, 0, 16, 16], [0, 0, 0, 0]]], np.float32),
        'scores': np.array([[0.9, 0]], np.float32),
        'c': random.normal(0, 9, (1, 2, 3)).astype(np.float32),
        'p': random.normal(0, 9, (1, 3, 16)).astype(np.float32),
    }
    run = mixing_module.masks_from_prototypes(lambda batch: tensors, mixture)
    masks = run(np.zeros((1, 16, 16, 3), np.uint8))['masks']
    logits = (tensors['c'].astype(float) @ tensors['p'])[0, 0].reshape(4, 4)
    assert np.abs(masks[0, 0] - 255 / (1 + np.exp(-logits))).max() <= 0.51
    assert not masks[0, 1].any()


def test_boxes_that_are_made_of_masks_keep_them_in_the_graph(model: Path) -> None:
    compiled = read_compiled(model)
    mixture = mixture_of(compiled)
    assert mixture is not None
    assert 'masks' not in {
        item.name for item in without_mask_mixing(compiled.model, mixture).graph.output
    }
    (product,) = (
        node.output[0] for node in compiled.model.graph.node
        if node.op_type == 'MatMul' and node.input[0] == mixture.coefficients
    )
    compiled.model.graph.node.append(onnx.helper.make_node('Neg', [product], ['another reader']))
    assert mixture_of(compiled) is None
