"""The front of a compiled graph: from the camera's bytes to what the network was trained on."""

import numpy as np
import onnx
from seg_ros.core.card import InputSpec
from seg_ros.graph.network import Network
from seg_ros.graph.piece import BODY, build_piece
from spox import argument, Tensor, Var
import spox.opset.ai.onnx.v17 as op

IMAGE = 'image'


def make_head(network: Network, spec: InputSpec, batch: int | str) -> onnx.ModelProto:
    """
    Write (pixel * scale - mean) / std as one multiplication and one addition.

    :param batch: pictures of a call; a word stands for any number.
    :returns: a graph from `image`, uint8 (N, H, W, C), to the network's input.
    """
    shape = (batch, *network.size_hw, network.channels)
    image = argument(Tensor(np.dtype(np.uint8), shape))
    # TensorRT takes bytes at the edges only, so the cast comes before the transpose. That comes
    # last: beside a convolution that wants channels last, OpenVINO leaves it out altogether.
    pixels = op.cast(image, to=np.float32)
    std = np.array(spec.std, np.float64)
    factor, offset = spec.scale / std, -np.array(spec.mean, np.float64) / std
    if (factor != 1).any():
        pixels = op.mul(pixels, _by_channel(factor))
    if offset.any():
        pixels = op.add(pixels, _by_channel(offset))
    if network.layout == 'nchw':
        pixels = op.transpose(pixels, perm=[0, 3, 1, 2])
    if network.dtype != np.float32:
        pixels = op.cast(pixels, to=network.dtype)
    outputs = {f'{BODY}{network.input_name}': pixels}
    return build_piece('head', {IMAGE: image}, outputs, network.opset)


def _by_channel(values: 'np.typing.NDArray[np.float64]') -> Var:
    """Lay numbers along the last axis, or one number over everything."""
    small = values.astype(np.float32)
    return op.const(small[0] if (small == small[0]).all() else small)
