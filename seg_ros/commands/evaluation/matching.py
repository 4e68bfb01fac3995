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

"""Matching of a model's classes with those of a data set."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ContractError, SettingError
from seg_ros.core.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class Matching:
    """
    A mapping from a model's class ids to those of a data set.

    :param card: of the data.
    :param table: the data's id for each id of the model; unlabelled if there is none.
    :param by: what the classes were matched by, `name` or `id`.
    :param only_model: names of the model's classes that the data lack.
    :param only_data: names of the data's classes that the model lacks.
    """

    card: ModelCard
    table: NDArray[Any]
    by: str
    only_model: tuple[str, ...]
    only_data: tuple[str, ...]

    def renamed(self, segmentation: Segmentation) -> Segmentation:
        """
        Return the same masks with the data's ids, without classes that the data lack.

        :raises ContractError: if classes or instances are missing.
        """
        if segmentation.classes is None or segmentation.instances is None:
            raise ContractError('incomplete masks', 'classes and instances')
        classes = self.table[segmentation.classes]
        segments = tuple(
            replace(segment, class_id=int(self.table[segment.class_id]))
            for segment in segmentation.segments
            if self.table[segment.class_id] != self.card.unlabelled
        )
        instances = segmentation.instances
        if len(segments) < len(segmentation.segments):
            ids = [segment.id for segment in segments]
            instances = np.where(np.isin(instances, ids), instances, 0).astype(np.uint16)
        confidence = segmentation.confidence
        if confidence is not None:
            confidence = np.where(classes == self.card.unlabelled, 0, confidence)
        return Segmentation(
            segmentation.size_hw, self.card.unlabelled, classes, confidence, instances, segments
        )


def match_classes(model: ModelCard, data: ModelCard) -> Matching:
    """
    Match classes by name, ignoring case, or by id if no name matches.

    :raises SettingError: if no class matches.
    """
    for by in ('name', 'id'):
        known = {_key(item, by): item.id for item in data.classes}
        pairs = {item.id: known[_key(item, by)]
                 for item in model.classes if _key(item, by) in known}
        if pairs:
            break
    else:
        raise SettingError(
            f'the data have classes {", ".join(item.name for item in data.classes)}',
            f'some of {", ".join(item.name for item in model.classes)}',
            'evaluate on data with the classes of the model',
        )
    table = np.full(model.unlabelled + 1, data.unlabelled, data.id_of_channel.dtype)
    table[list(pairs)] = list(pairs.values())
    return Matching(
        data, table, by,
        tuple(item.name for item in model.classes if item.id not in pairs),
        tuple(item.name for item in data.classes if item.id not in pairs.values()),
    )


def _key(item: Any, by: str) -> Any:
    return item.name.casefold() if by == 'name' else item.id
