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

"""Conversion of instances to the type used by the supervision package."""

from typing import Any

import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.segmentation import Segmentation


def detections(segmentation: Segmentation, card: ModelCard) -> Any:
    """
    Convert the instances of one image.

    :returns: `supervision.Detections`: xyxy float32 (N, 4), mask bool (N, H, W), confidence,
        class_id (of the card), tracker_id (the segment's id) and `data['class_name']`.
    :raises SettingError: if supervision is not installed.
    """
    try:
        from supervision import Detections
    except ImportError as error:
        raise SettingError(
            f'supervision cannot be imported ({error})', do='pip install supervision'
        ) from error
    segments = segmentation.segments
    if not segments:
        return Detections.empty()
    ids = np.array([segment.id for segment in segments])
    return Detections(
        xyxy=np.array([segment.xyxy for segment in segments], np.float32),
        mask=segmentation.instances == ids[:, None, None],
        confidence=np.array([segment.score for segment in segments], np.float32),
        class_id=np.array([segment.class_id for segment in segments]),
        tracker_id=ids,
        data={'class_name': np.array([card.by_id[item.class_id].name for item in segments])},
    )
