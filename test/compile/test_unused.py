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

"""Card keys that change nothing are warned of, whatever the family."""

from family_networks import NETWORKS, raw_network
import numpy as np
import pytest
from seg_ros.api import Segmenter
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import compiled_from_model
from seg_ros.core.card_reading import card_from_dict

KEYS = {
    'scores': 'sigmoid', 'thresholds.score': 0.6, 'thresholds.mask': 0.7,
    'thresholds.visible': 0.9, 'thresholds.stuff': 0.4, 'snap': 'whole_pixels',
    'input.pad': 7, 'input.align': 'top_left',
}
SOFT = {'thresholds.mask', 'thresholds.visible'}
# What does nothing for each family, but for what depends on the fit.
IDLE = {
    'promptable': {'scores', 'thresholds.stuff', 'snap'},
    'query_masks': {'snap'},
    'box_masks': {'scores', 'thresholds.stuff'},
    'image_masks': {'scores', 'thresholds.stuff', 'snap'},
    'logits': {'thresholds.score', 'thresholds.stuff', 'snap', *SOFT},
    'yolo_seg': {'scores', 'thresholds.stuff', 'snap'},
    'panoptic_centers': {'snap', *SOFT},
}


def compiled(folder, family, fit, key='', value=None):
    raw, card = raw_network(folder, family)
    card['input'] = {'fit': fit}
    if key:
        part, _, name = key.rpartition('.')
        (card.setdefault(part, {}) if part else card)[name] = value
    return compiled_from_model(compile_model(raw, card_from_dict(card)), f'{family}.model.onnx')


def warned(model, key):
    return any(
        note.startswith(f"warning: the card's {key}") and 'has no effect' in note
        for note in model.notes
    )


def masks_of(model, folder):
    path = folder / 'model.onnx'
    path.write_bytes(model.model.SerializeToString())
    prompts = ['8 4 60 40'] if model.card.task == 'promptable' else []
    image = np.random.default_rng(4).integers(0, 256, (70, 150, 3)).astype(np.uint8)
    with Segmenter(str(path), engine='onnxruntime', prompts=prompts or ['']) as segmenter:
        return segmenter(image)


@pytest.mark.parametrize(('key', 'fit'), [
    *((key, 'letterbox') for key in KEYS), ('input.pad', 'stretch'), ('input.align', 'stretch'),
])
@pytest.mark.parametrize('family', NETWORKS)
def test_a_card_key_is_warned_of_where_it_changes_nothing(family, key, fit, tmp_path):
    of_fit = {'letterbox': set(), 'stretch': {'input.pad', 'input.align'}}[fit]
    model = compiled(tmp_path, family, fit, key, KEYS[key])
    assert warned(model, key) == (key in IDLE[family] | of_fit)
    if warned(model, key):
        plain, keyed = (
            masks_of(each, tmp_path) for each in (compiled(tmp_path, family, fit), model)
        )
        np.testing.assert_array_equal(keyed.classes, plain.classes)
        np.testing.assert_array_equal(keyed.instances, plain.instances)
        np.testing.assert_array_equal(keyed.confidence, plain.confidence)
        assert [item.score for item in keyed.segments] == [item.score for item in plain.segments]


@pytest.mark.parametrize('family', NETWORKS)
def test_what_a_card_leaves_out_is_not_warned_of(family, tmp_path):
    assert not any(warned(compiled(tmp_path, family, 'letterbox'), key) for key in KEYS)
