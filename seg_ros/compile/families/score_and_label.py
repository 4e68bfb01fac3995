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

"""Distinguishes the scores of detections from their labels."""

from collections.abc import Sequence
from functools import partial
import re

import numpy as np
from seg_ros.compile.network import Network
from seg_ros.compile.tensor_info import TensorInfo

_LABELS = re.compile('class|cls|label|idx|index')


def score_and_label(
    network: Network, infos: Sequence[TensorInfo]
) -> tuple[TensorInfo, TensorInfo] | None:
    """Return scores and labels: labels have an integer type, whole values or a label's name."""
    if len(infos) != 2:
        return None
    for is_label in (_is_integer, partial(_is_whole, network), _has_label_name):
        labels = [info for info in infos if is_label(info)]
        scores = [info for info in infos if info not in labels]
        if len(labels) == 1:
            return (scores[0], labels[0]) if scores[0].dtype.kind == 'f' else None
    return None


def _is_integer(info: TensorInfo) -> bool:
    return info.dtype.kind in 'iu'


def _is_whole(network: Network, info: TensorInfo) -> bool:
    return all((array == np.rint(array)).all() for array in network.trial_values(info.name))


def _has_label_name(info: TensorInfo) -> bool:
    return bool(_LABELS.search(info.name.lower()))
