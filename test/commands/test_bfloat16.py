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

"""`seg_ros compile --compare`: masks survive bfloat16, or the file asks for 32 bits."""

from contextlib import closing, ExitStack
from dataclasses import asdict

from compile_run import compile_raw
import cv2
from family_networks import CLASSES, NETWORKS, raw_network, SIZE_HW, Sketch
import numpy as np
import onnx
from onnx import numpy_helper
import onnxruntime
import pytest
from seg_ros.commands.model_files.parity import (
    calibration_frames,
    parity_of,
    shortfalls,
    trial_memory,
)
from seg_ros.commands.progress import Progress
from seg_ros.compile.bfloat16 import in_bfloat16
from seg_ros.compile.compiled import load_compiled
from seg_ros.core.settings import Settings
from seg_ros.metrics.parity import Parity
from seg_ros.pipeline.process import segment
from seg_ros.pipeline.serving_model import open_serving_model
import yaml


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(4):
        coarse = rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), cv2.resize(coarse, SIZE_HW[::-1]))
    return folder


def compiled_with(raw, card, *words):
    (raw.parent / 'card.yaml').write_text(yaml.safe_dump(card))
    return load_compiled(compile_raw(raw, *words))


def in_bfloat16_on(compiled, images):
    """Return how masks in bfloat16 compare with those of the file."""
    progress = Progress('compare', 0)
    frames = calibration_frames([images], progress)
    return parity_of(compiled, in_bfloat16(compiled), frames, progress)


@pytest.mark.parametrize('family', NETWORKS)
def test_every_family_keeps_its_masks_in_bfloat16_or_asks_for_32_bits(
    family, tmp_path, images
):
    raw, card = raw_network(tmp_path, family)
    card['thresholds'] = {'score': 0.05}
    compiled = compiled_with(raw, card, '--compare', images)
    figures = in_bfloat16_on(compiled, images)
    assert compiled.card.task == 'semantic' or figures['instances'] > 0
    short = shortfalls(figures, 'bf16', compiled.card.task)
    assert compiled.signature.arithmetic == 'f32' or not short
    assert compiled_with(raw, card).signature.arithmetic == (
        'f32' if family == 'promptable' else 'any'
    )


def of_openvino(compiled, images, folder):
    """Return how OpenVINO's masks in its own precision compare with those in 32 bits."""
    path, parity = folder / 'tried.onnx', Parity()
    path.write_bytes(compiled.model.SerializeToString())
    with ExitStack() as opened:
        exact, own = (
            opened.enter_context(closing(open_serving_model(Settings(
                model=str(path), engine='openvino', threads=1, inference_precision=precision
            )))) for precision in ('f32', 'auto')
        )
        if own.engine.facts.precision == 'f32':
            pytest.skip('this CPU does not compute in bfloat16')
        for frame in calibration_frames([images], Progress('compare', 0)):
            parity.add(*(
                segment(frame, each, temporal=trial_memory(compiled.signature, frame.size_hw))
                for each in (exact, own)
            ))
    return asdict(parity.figures())


@pytest.mark.parametrize('family', [name for name in NETWORKS if name != 'promptable'])
def test_openvino_changes_masks_in_bfloat16_no_more_than_rounding_predicts(
    family, tmp_path, images
):
    pytest.importorskip('openvino', reason='OpenVINO is not installed')
    raw, card = raw_network(tmp_path, family)
    card['thresholds'] = {'score': 0.05}
    compiled = compiled_with(raw, card)
    found, predicted = of_openvino(compiled, images, tmp_path), in_bfloat16_on(compiled, images)
    for name in ('pixels', 'miou', 'matched', 'mask_iou'):
        assert found[name] > predicted[name] - 0.01, name


@pytest.mark.parametrize('family', NETWORKS)
def test_every_family_keeps_its_masks_in_half_precision(family, tmp_path, images):
    raw, card = raw_network(tmp_path, family)
    card['thresholds'] = {'score': 0.05}
    compiled = compiled_with(raw, card, '--compare', images, '--precision', 'fp16')
    assert compiled.precision == 'fp16'
    assert not shortfalls(compiled.parity, 'fp16', compiled.card.task)


def far_from_zero(bias, folder):
    """Write a semantic network whose scores lie this far from zero on their way."""
    sketch = Sketch()
    there, back = (sketch.constant(np.float32(step)) for step in (bias, -bias))
    far = sketch.add('Add', sketch.conv(sketch.trunk(), 8, CLASSES), there)
    sketch.add('Add', far, back, name='scores')
    path = folder / 'far.onnx'
    onnx.save(sketch.model('scores'), path)
    rows = [{'id': index, 'name': f'class {index}'} for index in range(CLASSES)]
    return path, {'name': 'far', 'task': 'semantic', 'classes': rows}


@pytest.mark.parametrize(('bias', 'arithmetic'), [(0, 'any'), (1000, 'f32')])
def test_masks_that_bfloat16_changes_are_computed_in_32_bits(
    bias, arithmetic, tmp_path, images
):
    raw, card = far_from_zero(bias, tmp_path)
    compiled = compiled_with(raw, card, '--compare', images)
    assert compiled.signature.arithmetic == arithmetic
    reasons = [note for note in compiled.notes if 'bfloat16 gives' in note]
    assert len(reasons) == (arithmetic == 'f32')
    assert compiled_with(raw, card).signature.arithmetic == 'any'


def test_int8_is_calibrated_on_images_that_bfloat16_is_tried_on_as_well(tmp_path, images):
    raw, card = far_from_zero(1000, tmp_path)
    words = '--calibrate', images, '--precision', 'int8', '--force'
    compiled = compiled_with(raw, card, *words)
    assert (compiled.precision, compiled.signature.arithmetic) == ('int8', 'f32')


def rounded(values):
    """Round to bfloat16, to even: the upper half of the bits."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32)


def test_what_a_node_takes_and_gives_is_rounded_to_bfloat16(tmp_path, images):
    sketch = Sketch()
    sketch.conv('images', 3, CLASSES, 'scores', stride=4)
    path = tmp_path / 'one.onnx'
    onnx.save(sketch.model('scores'), path)
    rows = [{'id': index, 'name': f'class {index}'} for index in range(CLASSES)]
    compiled = compiled_with(path, {'name': 'one', 'task': 'semantic', 'classes': rows})
    [kernel] = [
        numpy_helper.to_array(item) for item in sketch.weights
    ]
    image = np.random.default_rng(2).integers(0, 256, (1, *SIZE_HW, 3), np.uint8)
    session = onnxruntime.InferenceSession(
        in_bfloat16(compiled).model.SerializeToString(), providers=['CPUExecutionProvider']
    )
    found = session.run(['logits'], {'image': image})[0]
    cells = rounded(image.astype(np.float32) / 255).reshape(1, 16, 4, 24, 4, 3)
    expected = np.einsum('nyaxbc,kcab->nkyx', cells, rounded(kernel))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * 48)
