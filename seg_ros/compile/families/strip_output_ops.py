"""What exporters append to a network's own scores, and where that can be cut off."""

from collections.abc import Iterator
from typing import Any

import onnx
from onnx import helper
from seg_ros.compile.network import Network
from seg_ros.core.signature import Upsampling

_RULES: dict[str, Upsampling] = {
    'half_pixel': 'half_pixel',
    'pytorch_half_pixel': 'half_pixel',
    'align_corners': 'align_corners',
    'asymmetric': 'asymmetric',
}
# Passed over on the way to one of the others, never a reason to cut by themselves.
_CARRIERS = ('Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Transpose')
_ENDINGS = ('ArgMax', 'Softmax', 'LogSoftmax', 'Sigmoid', 'Resize')


def own_scores(network: Network, output: str) -> tuple[str, Upsampling | None]:
    """
    Follow an output back to the scores it was made from.

    Activations keep the order of the classes, so that labels do not change with them, and the
    last enlargement to the network's size is left to the engine. Where an activation lies before
    the enlargement, scores are interpolated instead of probabilities: the confidence needs
    scores, and labels differ by fractions of a map's pixel along their edges.

    :returns: the tensor to end the network in, `output` itself where nothing can be cut, and the
        rule by which the network would have enlarged it, None where it would not.
    """
    tensor, rule = output, None
    for node in _trail(network, output):
        if node.op_type == 'Resize':
            if not _rule(node) or not _fills(network, node.output[0]):
                break
            rule = _rule(node)
        if node.op_type in _ENDINGS:
            tensor = node.input[0]
    return tensor, rule


def _trail(network: Network, output: str) -> Iterator[onnx.NodeProto]:
    node = network.producer(output)
    while node is not None and node.op_type in (*_CARRIERS, *_ENDINGS):
        yield node
        node = network.producer(node.input[0])


def _rule(node: onnx.NodeProto) -> Upsampling | None:
    """Return how a Resize enlarges; None if engines do not follow it."""
    facts: dict[str, Any] = {
        item.name: helper.get_attribute_value(item) for item in node.attribute
    }
    if facts.get('mode', b'nearest') != b'linear' or facts.get('antialias'):
        return None
    return _RULES.get(facts.get('coordinate_transformation_mode', b'half_pixel').decode())


def _fills(network: Network, tensor: str) -> bool:
    """Tell whether a tensor has the network's own height and width."""
    (tensor_info,) = network.tensor_infos([tensor])
    return network.size_hw in (tensor_info.shape[2:4], tensor_info.shape[1:3])
