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

"""A segmentation of maps alone."""

import numpy as np
from seg_ros.core.card_reading import card_from_dict
from seg_ros.masks.from_maps import segmentation_from_maps

CARD = card_from_dict({'name': 'room', 'classes': [
    {'id': 0, 'name': 'floor'}, {'id': 3, 'name': 'cup', 'thing': True},
]})


def test_each_instance_becomes_a_segment_and_pixels_of_a_class_are_certain():
    classes = np.array([[0, 3, 3, 255], [0, 3, 0, 3]], np.uint8)
    instances = np.array([[0, 9, 9, 0], [0, 9, 0, 4]], np.int64)
    segmentation = segmentation_from_maps(classes, instances, CARD)
    segmentation.verify()
    assert [(item.id, item.class_id, item.score) for item in segmentation.segments] == [
        (4, 3, 1.0), (9, 3, 1.0),
    ]
    assert (segmentation.confidence == [[255, 255, 255, 0], [255] * 4]).all()


def test_an_instance_has_the_class_of_its_first_pixel():
    classes = np.array([[3, 0], [0, 0]], np.uint8)
    segment, = segmentation_from_maps(classes, np.full((2, 2), 5), CARD).segments
    assert (segment.class_id, segment.xyxy, segment.area) == (3, (0, 0, 2, 2), 4)
