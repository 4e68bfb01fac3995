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

"""Model cards of the classical methods."""

from seg_ros.core.card import ClassInfo, distinct_colors, InputSpec, ModelCard


def _input(size_hw: tuple[int, int]) -> InputSpec:
    return InputSpec(size_hw, 'stretch', resample='area')


def object_card(method: str, size_hw: tuple[int, int]) -> ModelCard:
    """Return the card of a method that finds objects in front of a background."""
    classes = (
        ClassInfo(0, 'background', (70, 70, 70), roles=('ignore',)),
        ClassInfo(1, 'object', (255, 170, 0), thing=True, roles=('graspable',)),
    )
    return ModelCard(f'classical-{method}', 'panoptic', classes, input=_input(size_hw))


def region_card(size_hw: tuple[int, int], count: int) -> ModelCard:
    """Return the card of a segmentation by colour into up to `count` regions, darkest first."""
    colors = distinct_colors(count)
    classes = tuple(
        ClassInfo(index, f'region_{index + 1}', color) for index, color in enumerate(colors)
    )
    return ModelCard('classical-kmeans', 'semantic', classes, input=_input(size_hw))
