"""A compiled graph without its last step, in which masks are mixed from prototypes."""

from collections import Counter
from dataclasses import dataclass

import onnx
from seg_ros.compile.compiled import CompiledModel
from seg_ros.core.signature import MaskCode

_AFTER_MIXING = ('Cast', 'Reshape', 'Clip', 'Round', 'Add', 'Mul', 'Sigmoid')


@dataclass(frozen=True)
class Mixture:
    """
    What masks are mixed from.

    :param coefficients: name of the tensor (N, K, P).
    :param prototypes: name of the tensor (N, P, h * w).
    :param shape: K, h and w of `masks`.
    :param network_hw: size of the image that boxes refer to.
    """

    coefficients: str
    prototypes: str
    shape: tuple[int, ...]
    network_hw: tuple[int, int]
    mask_code: MaskCode

    @property
    def names(self) -> tuple[str, str]:
        """Return the tensors that an engine gives instead of `masks`."""
        return self.coefficients, self.prototypes


def mixture_of(compiled: CompiledModel) -> Mixture | None:
    """
    Find what a model's masks are mixed from: a product that nothing but them is made of.

    :returns: None where masks come about otherwise, or boxes are found with their help.
    """
    model, signature = compiled.model, compiled.signature
    if 'boxes' not in signature.tensors or signature.mask_frame != 'image':
        return None
    producers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in node.input)
    node = producers.get('masks')
    while node is not None and node.op_type in _AFTER_MIXING:
        tensor = node.input[0]
        node = producers.get(tensor) if readers[tensor] == 1 else None
    if node is None or node.op_type != 'MatMul':
        return None
    (masks,) = (item for item in model.graph.output if item.name == 'masks')
    shape = tuple(dim.dim_value for dim in masks.type.tensor_type.shape.dim[1:])
    coefficients, prototypes = node.input
    return Mixture(coefficients, prototypes, shape, signature.size_hw, signature.mask_code)


def without_mask_mixing(model: onnx.ModelProto, mixture: Mixture) -> onnx.ModelProto:
    """Return a model that gives coefficients and prototypes in the place of masks."""
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    kept = [item for item in model.graph.output if item.name != 'masks']
    del cut.graph.output[:]
    cut.graph.output.extend(kept)
    known = {item.name: item for item in onnx.shape_inference.infer_shapes(model).graph.value_info}
    cut.graph.output.extend(known[name] for name in mixture.names)
    return cut
