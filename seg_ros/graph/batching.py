"""Whether a network takes several pictures at once and answers for each as if it were alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.errors import ModelError
from seg_ros.graph.network import Network, Port
from seg_ros.graph.trial import Arrays, open_trial


def batch_obstacle(network: Network, ports: Sequence[Port]) -> str:
    """
    Run two different random pictures alone and together.

    :param ports: the tensors that must not change.
    :returns: what keeps the network from batches; empty where it is proven that nothing does.
    """
    pictures = _pictures(network)
    try:
        run = open_trial(network.part(ports, 'N'))
        alone = [run({network.input_name: picture[None]}) for picture in pictures]
        together = run({network.input_name: pictures})
    except ModelError:
        return 'its graph is fixed to one picture'
    if all(np.array_equal(alone[0][port.name], alone[1][port.name]) for port in ports):
        return 'its answers are the same for any picture, which proves nothing'
    if not all(_agree(alone, together[port.name], port.name) for port in ports):
        return 'the pictures of a batch change one another'
    return ''


def _pictures(network: Network) -> NDArray[np.floating]:
    """Make a dark and a bright picture of noise, so that shared statistics show."""
    random = np.random.default_rng(0)
    pictures = random.normal(0, 1, network.input_shape(2))
    pictures[1] = 2 * pictures[1] + 1
    return pictures.astype(network.dtype)


def _agree(alone: Sequence[Arrays], together: NDArray[np.generic], name: str) -> bool:
    """Compare up to rounding: kernels may sum in another order for another batch."""
    expected = np.concatenate([arrays[name] for arrays in alone])
    if expected.shape != together.shape:
        return False
    if expected.dtype.kind != 'f':
        return bool(np.mean(expected == together) > 0.999)
    tolerance = (1e-2 if expected.dtype == np.float16 else 1e-4) * np.abs(expected).max()
    return bool(np.allclose(expected, together, rtol=0, atol=tolerance))
