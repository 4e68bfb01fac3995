"""Networks that give each pixel a score for each class, or a class outright."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.families.strip_output_ops import own_scores
from seg_ros.compile.labels import bytes_from_labels
from seg_ros.compile.network import Network, TensorInfo
from seg_ros.core.card import ModelCard
from seg_ros.core.signature import Upsampling
from spox import Var
import spox.opset.ai.onnx.v17 as op

NAME = 'logits'


def read_logits(network: Network) -> list[OutputInterpretation] | str:
    """
    Read scores (N, C, h, w) or (N, h, w, C) of any stride, or labels (N, h, w) or (N, 1, h, w).

    Trailing activations and the last enlargement are cut off first, so that the file ends in the
    network's own scores. One score channel is a network of two classes.
    """
    rules: dict[str, Upsampling | None] = {}
    for output in network.model.graph.output:
        tensor, rule = own_scores(network, output.name)
        rules[tensor] = rules.get(tensor) or rule
    found = [
        interpretation
        for tensor_info in network.tensor_infos(list(rules))
        for interpretation in (
            *_scores(network, tensor_info, rules[tensor_info.name]), *_labels(network, tensor_info)
        )
    ]
    return found or (
        f'no output is a map of scores or labels in the shape of the image, '
        f'{network.size_hw[0]}x{network.size_hw[1]}: [N, C, h, w], [N, h, w, C] or [N, h, w]'
    )


def _scores(
    network: Network, tensor_info: TensorInfo, rule: Upsampling | None
) -> list[OutputInterpretation]:
    if tensor_info.dtype.kind != 'f' or len(tensor_info.shape) != 4:
        return []
    found = []
    _, first, second, third = tensor_info.shape
    for layout, channels, height, width in (
        ('NCHW', first, second, third), ('NHWC', third, first, second)
    ):
        if _fits(network.size_hw, (height, width)):
            found.append(OutputInterpretation(
                NAME, 'semantic', (tensor_info,), max(2, channels),
                f'scores of {tensor_info.name} at {height}x{width}, {layout}, '
                f'{rule or "half_pixel"}',
                partial(_decode_scores, layout == 'NHWC', channels == 1, rule),
            ))
    return found


def _labels(network: Network, tensor_info: TensorInfo) -> list[OutputInterpretation]:
    if tensor_info.dtype.kind not in 'iub':
        return []
    plane = tuple(side for axis, side in enumerate(tensor_info.shape) if axis == 0 or side > 1)
    if len(plane) != 3 or not _fits(network.size_hw, plane[1:]):
        return []
    words = f'labels of {tensor_info.name} at {plane[1]}x{plane[2]}, no scores and no confidence'
    decode = partial(_decode_labels, plane[1:])
    return [OutputInterpretation(NAME, 'semantic', (tensor_info,), 0, words, decode)]


def _fits(network_hw: tuple[int, int], map_hw: tuple[int, ...]) -> bool:
    """Tell whether a map has the image's proportions, but for the rounding of its sides."""
    high = network_hw[0] * map_hw[1]
    wide = network_hw[1] * map_hw[0]
    return abs(high - wide) <= max(network_hw)


def _decode_scores(
    last: bool,
    binary: bool,
    rule: Upsampling | None,
    tensor_infos: Sequence[Var],
    card: ModelCard,
    options: ExportOptions,
) -> Decoded:
    """
    Bring the scores to float32 (N, C, h, w); `rule` is None where the network enlarges nothing.

    A single score z, the input of a sigmoid, becomes the pair (0, z) with the same probability.
    """
    logits = op.cast(tensor_infos[0], to=np.float32)
    if last:
        logits = op.transpose(logits, perm=[0, 3, 1, 2])
    if binary:
        before_channel = np.array([0, 1, 0, 0, 0, 0, 0, 0])
        logits = op.pad(logits, op.const(before_channel))
    facts = {'upsampling': rule or 'half_pixel', 'enlarged': rule is not None}
    return Decoded({'logits': logits}, facts)


def _decode_labels(
    map_hw: tuple[int, int], tensor_infos: Sequence[Var], card: ModelCard, options: ExportOptions
) -> Decoded:
    floats = op.cast(tensor_infos[0], to=np.float32)
    plane = op.reshape(floats, op.const(np.array([-1, *map_hw])))
    return Decoded({'labels': bytes_from_labels(plane, len(card.classes))})
