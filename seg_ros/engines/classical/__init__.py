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

"""Classical segmentation methods, which have no weights, behind the engine's contract."""

from collections.abc import Callable

import cv2
import numpy as np
from seg_ros.core.card import ModelCard
from seg_ros.core.engine import Engine, EngineFacts
from seg_ros.core.errors import EngineError, SettingError
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import Feeds
from seg_ros.engines.blocking import BlockingEngine
from seg_ros.engines.classical.adaptive import adaptive
from seg_ros.engines.classical.cards import object_card, region_card
from seg_ros.engines.classical.edges import edges
from seg_ros.engines.classical.grabcut import grabcut
from seg_ros.engines.classical.kmeans import kmeans, REGIONS
from seg_ros.engines.classical.objects import MAX_OBJECTS, tensors_from_found
from seg_ros.engines.classical.otsu import otsu
from seg_ros.engines.classical.view import ClassicalView, Tensors
from seg_ros.engines.classical.watershed import watershed

SIZE_HW = (480, 640)
FINDERS = {
    'otsu': otsu, 'adaptive': adaptive, 'edges': edges, 'watershed': watershed, 'grabcut': grabcut
}
METHODS = (*FINDERS, 'kmeans')


def open_classical(method: str) -> Engine:
    """
    Open one of the classical methods.

    Every method but `kmeans` separates objects from the background and numbers them. `kmeans`
    segments the whole image by colour: its regions are stuff without instances, since one colour
    may cover walls and floors as well as countable things.

    :param method: one of `METHODS`.
    :raises SettingError: if there is no such method.
    """
    if method == 'kmeans':
        signature = ModelSignature(SIZE_HW, ('labels', 'confidence'), max_batch=0)
        return _engine(kmeans, signature, region_card(SIZE_HW, REGIONS))
    if method not in FINDERS:
        raise SettingError(f'classical method {method!r}', f'one of {", ".join(METHODS)}')
    tensors = ('labels', 'confidence', 'scores', 'classes', 'instances')
    signature = ModelSignature(SIZE_HW, tensors, max_batch=0, max_instances=MAX_OBJECTS)
    find = FINDERS[method]
    card = object_card(method, SIZE_HW)
    return _engine(lambda view: tensors_from_found(find(view)), signature, card)


def _engine(
    segment: Callable[[ClassicalView], Tensors], signature: ModelSignature, card: ModelCard
) -> BlockingEngine:
    def run(feeds: Feeds) -> Tensors:
        try:
            images = [segment(ClassicalView(rgb)) for rgb in feeds['image']]
        except cv2.error as error:
            raise EngineError(f'{card.name}: {error}') from error
        return {
            name: np.stack([tensors[name] for tensors in images]) for name in signature.tensors
        }

    facts = EngineFacts('classical', 'CPU', 'u8', version=cv2.__version__)
    return BlockingEngine(card, signature, facts, [run])
