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

"""Classes and instances of the bodies that a renderer shows."""

import numpy as np
from seg_ros.sim.classes import FLOOR, OBJECT, PERSON, ROBOT
from seg_ros.sim.ground_truth import crowded, segmentation_from_bodies


def test_things_are_counted_and_stuff_is_not():
    bodies = np.array([[7, 7, 9, -1], [7, 4, 9, 5], [4, 4, 8, 5]], np.int32)
    truth = segmentation_from_bodies(bodies, {4: FLOOR, 5: PERSON, 7: OBJECT, 8: ROBOT, 9: OBJECT})
    truth.verify()
    assert truth.classes.tolist() == [[3, 3, 3, 255], [3, 0, 3, 5], [0, 0, 4, 5]]
    assert [(s.class_id, s.area, s.xyxy) for s in truth.segments] == [
        (PERSON, 2, (3, 1, 4, 3)), (OBJECT, 3, (0, 0, 2, 2)), (OBJECT, 2, (2, 0, 3, 2)),
    ]
    assert truth.instances.tolist() == [[2, 2, 3, 0], [2, 0, 3, 1], [0, 0, 0, 1]]


def test_a_body_of_no_class_stays_unlabelled():
    truth = segmentation_from_bodies(np.array([[1, 2]], np.int32), {2: FLOOR})
    assert truth.classes.tolist() == [[255, FLOOR]]
    assert truth.confidence.tolist() == [[0, 255]]


def test_only_instances_side_by_side_are_crowded():
    bodies = np.array([[1, 2, 0, 3], [0, 0, 0, 0], [0, 0, 0, 4]], np.int32)
    classes = {0: FLOOR, 1: OBJECT, 2: OBJECT, 3: OBJECT, 4: OBJECT}
    assert crowded(segmentation_from_bodies(bodies, classes)) == 2
