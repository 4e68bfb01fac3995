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

"""
Compiled graphs and painted masks, against the frameworks' own post-processing.

`fixtures/*.npz` hold raw outputs of networks that real images make fire, and the answer of
ultralytics or torch to them (`fixtures/record.py`).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
import onnxruntime as ort
import pytest
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.output_choice import choose_outputs
from seg_ros.core.settings import Settings
from seg_ros.core.tensors import outputs_from_tensors
from seg_ros.core.thresholds import thresholds_from_settings
from seg_ros.image.fit import fit_for
from seg_ros.masks.class_map import source_classes
from seg_ros.masks.instance_masks import instance_masks_from_outputs
from seg_ros.masks.postprocess_context import PostprocessContext

FIXTURES = Path(__file__).parents[1] / 'fixtures'
DETECTORS = ('yolo11n-seg_bin', 'yolov8n-seg_room')
SEMANTIC = ('lraspp_mobilenet_v3_large', 'deeplabv3_mobilenet_v3_large')
NETWORK_HW = (160, 192)


def read_recording(name):
    with np.load(FIXTURES / f'{name}.npz') as file:
        return {
            key: array.astype(np.float32) if array.dtype == np.float16 else array
            for key, array in file.items()
        }


def network_that_says(outputs, enlarge=False):
    """
    Write a network that gives `outputs` for every image.

    :param enlarge: append the Resize that torch's exporter writes.
    """
    nodes = [
        helper.make_node('ReduceMean', ['images'], ['mean'], keepdims=0),
        helper.make_node('Mul', ['mean', 'zero'], ['nothing']),
    ]
    weights = [numpy_helper.from_array(np.float32(0), 'zero')]
    for name, array in outputs.items():
        weights.append(numpy_helper.from_array(array, f'{name}_said'))
        nodes.append(helper.make_node('Add', [f'{name}_said', 'nothing'], [name]))
    names = list(outputs)
    if enlarge:
        shape = np.array([*outputs['logits'].shape[:2], *NETWORK_HW])
        weights.append(numpy_helper.from_array(shape, 'shape'))
        nodes.append(helper.make_node(
            'Resize', ['logits', '', '', 'shape'], ['out'], mode='linear',
            coordinate_transformation_mode='half_pixel',
        ))
        names = ['out']
    image = helper.make_tensor_value_info('images', 1, [1, 3, *NETWORK_HW])
    given = [helper.make_tensor_value_info(name, 1, None) for name in names]
    graph = helper.make_graph(nodes, 'recorded', [image], given, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def compiled_from_recording(recording, folder, task, count):
    fit = 'letterbox' if task == 'instance' else 'stretch'
    card = card_from_dict({
        'name': 'recorded', 'task': task, 'input': {'fit': fit},
        'classes': [{'id': index, 'name': f'class {index}'} for index in range(count)],
    })
    raw = {key: recording[key] for key in ('output0', 'output1', 'logits') if key in recording}
    path = folder / 'recorded.onnx'
    onnx.save(network_that_says(raw, enlarge='logits' in raw), path)
    return compiled_from_model(compile_model(path, card), path.name)


def answer(compiled, upsample='edges'):
    """Run a compiled graph on a black image, for what an engine asks of it."""
    session = ort.InferenceSession(
        compiled.model.SerializeToString(), providers=['CPUExecutionProvider']
    )
    names = choose_outputs(compiled.signature, Settings(upsample=upsample), 'edges').names
    arrays = session.run(list(names), {'image': np.zeros((1, *NETWORK_HW, 3), np.uint8)})
    return outputs_from_tensors(dict(zip(names.values(), arrays, strict=True)), 1).image(0)


@pytest.fixture(scope='module', params=DETECTORS)
def detected(request, tmp_path_factory):
    recording = read_recording(request.param)
    count = recording['output0'].shape[1] - 4 - recording['output1'].shape[1]
    folder = tmp_path_factory.mktemp(request.param)
    compiled = compiled_from_recording(recording, folder, 'instance', count)
    return recording, compiled, answer(compiled)


@pytest.fixture(scope='module', params=SEMANTIC)
def scored(request, tmp_path_factory):
    recording = read_recording(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    count = recording['logits'].shape[1]
    return recording, compiled_from_recording(recording, folder, 'semantic', count)


def recorded_masks(recording, key, size_hw):
    count = len(recording['kept'])
    bits = np.unpackbits(recording[key], count=count * size_hw[0] * size_hw[1])
    return bits.reshape(count, *size_hw).astype(bool)


def context_of(compiled, fit):
    thresholds = thresholds_from_settings(Settings(), compiled.card, compiled.signature)
    return PostprocessContext(fit, compiled.signature, compiled.card, thresholds)


def painted_masks(compiled, outputs, size_hw, slots):
    """Paint each detection as if it were alone."""
    fit = fit_for(size_hw, NETWORK_HW, compiled.card.input)
    context = context_of(compiled, fit)
    masks = np.zeros((len(slots), *size_hw), bool)
    for mask, slot in zip(masks, slots, strict=True):
        alone = np.where(np.arange(len(outputs.scores)) == slot, outputs.scores, 0)
        for instance in instance_masks_from_outputs(replace(outputs, scores=alone), context):
            instance.write(mask, True)
    return masks


def overlaps(masks, others):
    shared = (masks & others).sum((1, 2))
    return shared / np.maximum(1, (masks | others).sum((1, 2)))


def kept_slots(outputs, recording):
    """Return the slots above the framework's threshold and the recorded rows that they match."""
    slots = np.flatnonzero(outputs.scores > 0.25)
    seen = np.column_stack([outputs.classes[slots], outputs.boxes[slots, 0]])
    known = recording['kept'][:, [5, 0]]
    return slots[np.lexsort(seen.round(3).T)], np.lexsort(known.round(3).T)


def test_the_detections_are_those_that_ultralytics_keeps(detected):
    recording, _, outputs = detected
    slots, rows = kept_slots(outputs, recording)
    kept = recording['kept'][rows]
    assert len(slots) == len(kept) > 5
    np.testing.assert_array_equal(outputs.classes[slots], kept[:, 5])
    np.testing.assert_allclose(outputs.boxes[slots], kept[:, :4], atol=1e-2)
    np.testing.assert_allclose(outputs.scores[slots], kept[:, 4], atol=1e-6)


@pytest.mark.parametrize('place', ['network', 'source'])
def test_the_masks_are_those_that_ultralytics_draws(detected, place):
    recording, compiled, outputs = detected
    size_hw = NETWORK_HW if place == 'network' else tuple(map(int, recording['source_hw']))
    slots, rows = kept_slots(outputs, recording)
    known = recorded_masks(recording, f'{place}_masks', size_hw)[rows]
    found = overlaps(painted_masks(compiled, outputs, size_hw, slots), known)
    assert np.median(found) >= 0.99
    assert found.min() >= 0.9


def test_shared_pixels_belong_to_the_better_detection(detected):
    recording, compiled, outputs = detected
    size_hw = tuple(map(int, recording['source_hw']))
    known = np.zeros(size_hw, np.uint16)
    for number, mask in enumerate(recorded_masks(recording, 'source_masks', size_hw), 1):
        visible = mask & (known == 0)
        if visible.sum() >= compiled.card.thresholds.visible * mask.sum():
            known[visible] = recording['kept'][number - 1, 5] + 1
    fit = fit_for(size_hw, NETWORK_HW, compiled.card.input)
    painted = np.zeros(size_hw, np.uint16)
    for instance in instance_masks_from_outputs(outputs, context_of(compiled, fit)):
        instance.write(painted, instance.channel + 1)
    assert np.mean(painted == known) > 0.99


@pytest.mark.parametrize('upsample', ['edges', 'graph'])
def test_the_labels_are_those_of_torchs_enlarged_scores(scored, upsample):
    recording, compiled = scored
    source_hw = tuple(map(int, recording['source_hw']))
    size_hw = source_hw if upsample == 'edges' else NETWORK_HW
    key = 'source_labels' if upsample == 'edges' else 'network_labels'
    fit = fit_for(size_hw, NETWORK_HW, compiled.card.input)
    thresholds = thresholds_from_settings(Settings(), compiled.card, compiled.signature)
    classes, _ = source_classes(
        answer(compiled, upsample),
        PostprocessContext(fit, compiled.signature, compiled.card, thresholds),
        False,
    )
    assert np.mean(classes == recording[key]) > 0.9999
