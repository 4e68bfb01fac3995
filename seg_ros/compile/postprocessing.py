"""The end of a compiled graph, which depends on the engine: labels and confidence from scores."""

from dataclasses import dataclass, replace

import numpy as np
import onnx
from seg_ros.compile.compiled import CompiledModel
from seg_ros.compile.labels import bytes_from_labels
from seg_ros.compile.subgraph import build_subgraph, chain, opset_of
from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature, UpsampleMode
from seg_ros.image.bilinear_sampling import Taps, taps
from seg_ros.image.letterbox import fit_for
from spox import argument, Tensor, Var
import spox.opset.ai.onnx.v17 as op

UPSAMPLES = ('edges', 'nearest', 'graph')


@dataclass(frozen=True, eq=False)
class Postprocessed:
    """
    A compiled graph as an engine runs it.

    :param signature: the file's, with the one image size that the tail is good for.
    :param upsample: the way that was chosen.
    """

    model: onnx.ModelProto
    signature: ModelSignature
    upsample: UpsampleMode


def postprocessing_for(
    compiled: CompiledModel, settings: Settings, auto: UpsampleMode
) -> Postprocessed:
    """
    Append the tail that the settings ask for.

    :param auto: the engine's own choice.
    """
    upsample = auto if settings.upsample == 'auto' else settings.upsample
    bakes = upsample == 'graph' and 'logits' in compiled.signature.tensors
    source_hw = settings.source_hw if bakes else None
    signature = replace(compiled.signature, source_hw=source_hw)
    return Postprocessed(with_postprocessing(compiled, upsample, source_hw), signature, upsample)


def with_postprocessing(
    compiled: CompiledModel, upsample: str, source_hw: tuple[int, int] | None = None
) -> onnx.ModelProto:
    """
    Append what turns `logits` into `labels` and `confidence`.

    :param upsample: `edges` gives labels, confidence and logits at the scores' own resolution,
        for a host that refines along label edges; `nearest` leaves the logits out; `graph`
        enlarges the scores to the network's size first, as the contract's rule has it.
    :param source_hw: of the only images that `graph` is then good for: it interpolates the
        scores at each of their pixels.
    :returns: the compiled graph itself where it has no logits.
    :raises SettingError: on any other `upsample`.
    """
    if upsample not in UPSAMPLES:
        raise SettingError(f'upsample: {upsample!r}', f'one of {", ".join(UPSAMPLES)}')
    if 'logits' not in compiled.signature.tensors:
        return compiled.model
    logits = _logits(compiled.model)
    scores = op.cast(logits, to=np.float32)
    if upsample == 'graph':
        scores = _at_source(scores, compiled, source_hw) if source_hw else _enlarged(
            scores, compiled
        )
    outputs = {
        'labels': bytes_from_labels(
            op.arg_max(scores, axis=1, keepdims=False), len(compiled.card.classes)
        ),
        'confidence': _confidence(scores),
    }
    tail = build_subgraph('tail', {'logits': logits}, outputs, opset_of(compiled.model))
    return chain(compiled.model, tail, keep=['logits'] if upsample == 'edges' else [])


def _logits(model: onnx.ModelProto) -> Var:
    """Return an argument like the model's output `logits`."""
    (output,) = (item for item in model.graph.output if item.name == 'logits')
    tensor = output.type.tensor_type
    kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    shape = tuple(dim.dim_value or dim.dim_param for dim in tensor.shape.dim)
    return argument(Tensor(kind, shape))


def _enlarged(scores: Var, compiled: CompiledModel) -> Var:
    """Resize as the network itself would have done."""
    batch_and_channels = op.slice(
        op.shape(scores), op.const([0]), op.const([2])
    )
    sides = op.const(np.array(compiled.signature.size_hw))
    return op.resize(
        scores,
        sizes=op.concat([batch_and_channels, sides], axis=0),
        mode='linear',
        coordinate_transformation_mode=compiled.signature.upsampling,
    )


def _at_source(scores: Var, compiled: CompiledModel, source_hw: tuple[int, int]) -> Var:
    """Interpolate as `core.labels` does along edges, at every pixel: rows first, then columns."""
    signature = compiled.signature
    fit = fit_for(source_hw, signature.size_hw, compiled.card.input)
    size_hw = tuple(int(side) for side in (scores.unwrap_tensor().shape or ())[2:] if side)
    for axis in (0, 1):
        way = taps(fit, size_hw, axis, signature.upsampling, signature.enlarged)
        scores = _weighted(scores, way, axis + 2, size_hw[axis])
    return scores


def _weighted(scores: Var, way: Taps, axis: int, size: int) -> Var:
    """Sum up the neighbours that weigh anything, along one axis of (N, C, h, w)."""
    parts = []
    for reach, weights in enumerate(way.weights):
        if weights.any():
            index = np.minimum(way.below + reach, size - 1)
            column = weights.reshape((-1, 1) if axis == 2 else (-1,))
            parts.append(op.mul(op.gather(scores, op.const(index), axis=axis), op.const(column)))
    return op.sum(parts)


def _confidence(scores: Var) -> Var:
    """
    Return 255 times the largest softmax probability, uint8 (N, h, w).

    It is 1 / sum(exp(s - max s)), which needs no softmax over all classes.
    """
    margin = op.sub(scores, op.reduce_max(scores, axes=[1], keepdims=True))
    total = op.reduce_sum(op.exp(margin), op.const([1]), keepdims=False)
    return op.cast(op.round(op.div(op.const(np.float32(255)), total)), to=np.uint8)
