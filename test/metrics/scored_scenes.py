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

"""Scenes whose scores published implementations were asked for, and how they were drawn."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from seg_ros.core.card_reading import card_from_dict
from seg_ros.masks.from_maps import segmentation_from_maps

SIZE_HW = (90, 120)
CARD = card_from_dict({'name': 'scored', 'task': 'panoptic', 'classes': [
    {'id': 1, 'name': 'floor'}, {'id': 2, 'name': 'wall'}, {'id': 4, 'name': 'never seen'},
    {'id': 7, 'name': 'cup', 'thing': True}, {'id': 9, 'name': 'box', 'thing': True},
    {'id': 11, 'name': 'person', 'thing': True}, {'id': 13, 'name': 'ghost', 'thing': True},
]})
STUFF, THINGS, VOID = (1, 2), (7, 9, 11), 255


class Scene(NamedTuple):
    """
    Truth and finding of one image.

    :param scores: of the found instances, by id.
    :param crowd: id of the true instance that stands for a group, or 0.
    """

    true_classes: Any
    true_instances: Any
    found_classes: Any
    found_instances: Any
    scores: Any
    crowd: int

    def segmentations(self):
        """Return truth and finding as the product has them."""
        truth = segmentation_from_maps(self.true_classes, self.true_instances, CARD)
        found = segmentation_from_maps(self.found_classes, self.found_instances, CARD)
        segments = tuple(
            type(item)(item.id, item.class_id, float(self.scores[item.id]), item.xyxy, item.area)
            for item in found.segments
        )
        values = {name: getattr(found, name) for name in (
            'size_hw', 'unlabelled', 'classes', 'confidence', 'instances'
        )}
        return truth, type(found)(segments=segments, **values)


def smooth(random, level):
    coarse = random.normal(0, 1, (5, 6)).astype(np.float32)
    return cv2.resize(coarse, SIZE_HW[::-1], interpolation=cv2.INTER_CUBIC) > level


def draw_scene(seed):
    """Draw blobs over two kinds of ground, and the same with the faults that networks make."""
    random = np.random.default_rng(seed)
    ground = np.where(smooth(random, 0), *STUFF).astype(np.uint8)
    true_classes, found_classes = ground.copy(), ground.copy()
    found_classes[smooth(random, 1.2)] = STUFF[seed % 2]
    true_instances, found_instances = (np.zeros(SIZE_HW, np.uint16) for _ in range(2))
    scores = np.zeros(40)
    for number in range(1, 12):
        center = tuple(int(random.integers(0, side)) for side in SIZE_HW[::-1])
        axes = tuple(int(random.integers(3, 20)) for _ in range(2))
        kind = int(random.choice(THINGS))
        fault = random.choice(['none', 'none', 'none', 'missed', 'invented', 'class', 'split'])
        for classes, instances, wrong in (
            (true_classes, true_instances, 'invented'), (found_classes, found_instances, 'missed')
        ):
            if fault == wrong:
                continue
            is_found = classes is found_classes
            moved = tuple(int(c + is_found * random.integers(-2, 3)) for c in center)
            mask = np.zeros(SIZE_HW, np.uint8)
            cv2.ellipse(mask, moved, axes, 10 * number, 0, 360, 1, -1)
            named = 13 if is_found and fault == 'class' and number % 2 else kind
            classes[mask > 0], instances[mask > 0] = named, number
            if is_found and fault == 'split':
                instances[(mask > 0) & (np.arange(SIZE_HW[1]) < moved[0])] = number + 20
        scores[[number, number + 20]] = random.uniform(0.1, 1, 2)
    hidden = smooth(random, 1.1)
    true_classes[hidden], true_instances[hidden] = VOID, 0
    unsure = smooth(random, 1.3)
    found_classes[unsure], found_instances[unsure] = VOID, 0
    crowd = int(true_instances.max()) if seed % 2 else 0
    return Scene(true_classes, true_instances, found_classes, found_instances, scores, crowd)


def save_scenes(path, scenes, references):
    """Write the scenes, and beside them what was said of them, by name."""
    arrays = {f'{number}_{name}': value for number, scene in enumerate(scenes)
              for name, value in scene._asdict().items()}
    np.savez_compressed(path, **arrays, references=np.array(references))


def load_scenes(path):
    """Return the scenes, and what was said of them as one JSON text."""
    with np.load(path) as data:
        count = sum(name.endswith('_crowd') for name in data.files)
        scenes = [
            Scene(**{name: data[f'{number}_{name}'] for name in Scene._fields})
            for number in range(count)
        ]
        return [scene._replace(crowd=int(scene.crowd)) for scene in scenes], str(
            data['references']
        )
