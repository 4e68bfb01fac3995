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

"""A card in which nothing is left to its default."""

from seg_ros.core.card import CardThresholds, ClassInfo, InputSpec, ModelCard

FULL = ModelCard(
    'town', 'panoptic',
    (
        ClassInfo(0, 'road', (128, 64, 128), False, ('traversable',)),
        ClassInfo(65534, 'car', (0, 0, 142), True, ('dynamic', 'graspable')),
    ),
    family='yolo',
    input=InputSpec(
        (480, 640), 'shortest_side', 'top_left', 'area', 0, 'bgr', 1.0, (1.0, 2.0, 3.0),
        (57.0, 58.0, 59.0),
    ),
    thresholds=CardThresholds(0.1, 0.2, 0.3, 0.4),
    licence='MIT', source='a paper', source_sha256='ab' * 32,
)
