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

"""Notes and warnings about network outputs that a compiled file leaves out."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.families.derived_outputs import is_derived
from seg_ros.compile.families.output_interpretation import OutputInterpretation
from seg_ros.compile.families.tensor_values import is_maximum
from seg_ros.compile.network import Network
from seg_ros.compile.run_onnx import run_onnx
from seg_ros.compile.trial import trial_images
from seg_ros.core.errors import ModelError
from seg_ros.core.signature import ModelSignature, NETWORK_SIZE, sized
from seg_ros.core.tensors import IMAGE

Compose: TypeAlias = Callable[
    [OutputInterpretation], tuple[onnx.ModelProto, ModelSignature, Sequence[str]]
]

# Fraction of pixels that may differ by rounding, and at edges that are enlarged in another order.
_MAX_DIFFERENCE = 0.01


def left_out_notes(
    network: Network, interpretations: Sequence[OutputInterpretation], compose: Compose
) -> list[str]:
    """
    List the outputs that are left out, and warn of those that could be meant instead.

    An output computed from the selected one is not reported, unless it shows other classes.

    :param interpretations: the selected one, then others that the card permits.
    :param compose: builds the whole graph for an interpretation.
    """
    taken, *others = interpretations
    names = {item.name for item in network.model.graph.output}
    cut = ', '.join(sorted(names.difference(taken.sources)))
    notes = [f'outputs cut off: {cut}'] if cut and names.issuperset(taken.sources) else []
    alternatives = [item for item in others if not is_derived(network, item, taken)]
    if alternatives:
        could = ', '.join(name for item in alternatives for name in item.sources)
        notes.append(
            f'warning: {could} could be meant as well as {_source_names(taken)}, which is used; '
            'outputs: [NAME] in the card selects'
        )
    own = _class_maps(network, taken, compose) if len(others) > len(alternatives) else []
    for item in others:
        if item in alternatives or _shows_no_class(network, item):
            continue
        share = _share(own, _class_maps(network, item, compose))
        if share > _MAX_DIFFERENCE:
            notes.append(
                f'warning: {_source_names(item)}, computed from the source of '
                f'{_source_names(taken)}, has another class on {100 * share:.2g} % of the pixels '
                f'of trial images; outputs: [{_source_names(item)}] in the card selects it'
            )
    return notes


def _source_names(interpretation: OutputInterpretation) -> str:
    return ', '.join(interpretation.sources)


def _shows_no_class(network: Network, interpretation: OutputInterpretation) -> bool:
    """Return whether an output has confidences, or a binary map for each of several classes."""
    info = interpretation.tensor_infos[0]
    several = interpretation.class_count > 2
    yes_or_no = all(np.unique(array).size <= 2 for array in network.trial_values(info.name))
    return is_maximum(network, info.name) or (several and yes_or_no)


def _class_maps(
    network: Network, interpretation: OutputInterpretation, compose: Compose
) -> list[NDArray[Any]]:
    """Return the labels of an interpretation on trial images; empty if it has none."""
    try:
        whole, signature, _ = compose(interpretation)
        run = run_onnx(whole)
    except ModelError:
        return []
    large = sized('labels', NETWORK_SIZE)
    name = large if large in signature.tensors else 'labels'
    if name not in signature.tensors:
        return []
    return [
        cv2.resize(
            run({IMAGE: image[None]})[name][0].astype(np.float32), network.size_hw[::-1],
            interpolation=cv2.INTER_NEAREST,
        )
        for image in trial_images(network.size_hw, network.channels)
    ]


def _share(own: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> float:
    """Return the fraction of pixels with different labels; 0 if one has none."""
    if not (own and other):
        return 0
    return float(np.mean([first != second for first, second in zip(own, other, strict=True)]))
