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

"""Options of `compile` that are fixed in the graph: name, default, range and meaning."""

from dataclasses import dataclass, Field, field, fields
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.frame import LONGEST_SIDE
from seg_ros.core.settings import check_setting

TENSORRT_TOP_K = 3840


def _option(default: float, meaning: str, low: float, high: float) -> Any:
    facts = {'meaning': meaning, 'low': low, 'high': high, 'choices': (), 'unit': ''}
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class ExportOptions:
    """
    Options of the outputs.

    :param source_sizes: heights and widths of images for which the graph computes labels itself.
    :raises SettingError: if a value is out of range.
    """

    score_floor: float = _option(0.05, 'The graph drops detections of a lower score.', 0.0, 1.0)
    iou: float = _option(
        0.0,
        'IoU above which the lower-scoring of two boxes of a class is suppressed; 0 uses the '
        "card's value, or the family's default.",
        0.0, 1.0,
    )
    top_k: int = _option(
        1000, 'Most candidates that enter the suppression, best first; crowds need many.', 1,
        TENSORRT_TOP_K,
    )
    max_instances: int = _option(100, 'Most detections per image.', 1, TENSORRT_TOP_K)
    prominence: float = _option(
        0.0,
        'Height of a peak above the saddle to a higher peak, in logits, from which it is an '
        'instance centre; 0 takes every peak of 5x5 cells.',
        0.0, 20.0,
    )
    small_segment: float = _option(
        0.0,
        'Size in cells at which the mean probability of a segment counts half: its class has the '
        'largest summed probability, its score is sqrt(heat * mean probability * cells / '
        '(cells + this)); 0 uses the majority class and the score heat * mean probability.',
        0.0, 10000.0,
    )
    max_prompts: int = _option(
        8, 'Prompts per image of a promptable network that takes any number.', 1, 256,
    )
    source_sizes: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for item in limits():
            check_setting(item, getattr(self, item.name))
        for size in self.source_sizes:
            if not all(0 < side <= LONGEST_SIDE for side in size):
                raise SettingError(
                    f'--source-size {size[1]}x{size[0]}', f'sides of 1 to {LONGEST_SIDE}'
                )


def limits() -> 'list[Field[Any]]':
    """Return the options that hold a single number."""
    return [item for item in fields(ExportOptions) if item.metadata]
