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

"""What the masks of an image depend on besides the network's outputs."""

from dataclasses import dataclass

from seg_ros.core.card import ModelCard
from seg_ros.core.segmentation import Part
from seg_ros.core.signature import ModelSignature
from seg_ros.core.thresholds import Thresholds
from seg_ros.image.fit import Fit

PARTS: frozenset[Part] = frozenset({'classes', 'confidence', 'instances'})


@dataclass(frozen=True, eq=False)
class PostprocessContext:
    """
    The parameters of post-processing one image.

    :param fit: how the image lies in the network's input.
    :param signature: signature of the network.
    :param card: card of the same model.
    :param parts: the maps to make.
    """

    fit: Fit
    signature: ModelSignature
    card: ModelCard
    thresholds: Thresholds
    parts: frozenset[Part] = PARTS
