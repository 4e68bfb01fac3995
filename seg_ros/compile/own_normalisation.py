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

"""Detects a card that normalises images although the network does so itself."""

import numpy as np
from seg_ros.compile.network import Network

_NORMALISING = ('Add', 'BatchNormalization', 'Cast', 'Div', 'Identity', 'Mul', 'Sub', 'Transpose')
_MIN_SPAN, _MAX_OFFSET, _MAX_VALUE = 0.1, 3, 300


def own_normalisation_warning(network: Network) -> str:
    """
    Return a warning if values after the network's own normalisation are implausible.

    If so, the card normalises images too. Images of all colours should span about 1 or more around
    zero, or 0 to 255.

    :returns: empty if the values are plausible, or the network does not normalise.
    """
    tensor = _normalised_tensor(network)
    if tensor == network.input_name:
        return ''
    arrays = network.trial_values(tensor)
    low, high = (float(end(arrays)) for end in (np.min, np.max))
    span = high - low
    if span >= _MIN_SPAN and abs(low + high) / 2 <= _MAX_OFFSET * span and high <= _MAX_VALUE:
        return ''
    return (
        f'after its own normalisation the network sees {low:.3g} to {high:.3g}: leave mean and '
        'std out of the card, and set input.scale to 1 if the network takes 0..255'
    )


def _normalised_tensor(network: Network) -> str:
    """Return the image's tensor after all arithmetic with constants."""
    name = network.input_name
    while True:
        readers = [node for node in network.model.graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type not in _NORMALISING:
            return name
        others = [other for other in readers[0].input if other != name]
        if not all(network.is_constant(other) for other in others):
            return name
        name = readers[0].output[0]
