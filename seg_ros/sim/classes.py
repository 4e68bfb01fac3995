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

"""Classes of the simulated worlds, with their roles for robots."""

from seg_ros.core.card import ClassInfo, ModelCard

FLOOR, WALL, SUPPORT, OBJECT, ROBOT, PERSON = range(6)

CLASSES = (
    ClassInfo(FLOOR, 'floor', (128, 96, 64), roles=('traversable',)),
    ClassInfo(WALL, 'wall', (96, 128, 192)),    # all fixed obstacles, also doors and furniture
    ClassInfo(SUPPORT, 'support', (64, 160, 96), roles=('support',)),     # tables, bins, trays
    ClassInfo(OBJECT, 'object', (240, 160, 32), thing=True, roles=('graspable',)),
    ClassInfo(ROBOT, 'robot', (176, 64, 208), roles=('dynamic',)),
    ClassInfo(PERSON, 'person', (224, 32, 64), thing=True, roles=('dynamic',)),
)

CARD = ModelCard('seg_ros simulated worlds', 'panoptic', CLASSES)
