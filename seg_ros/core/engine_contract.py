"""What every engine returns, whatever network runs in it."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import ContractError, ImageError, ModelError
from seg_ros.core.frame import Pixels

Upsampling: TypeAlias = Literal['half_pixel', 'align_corners', 'asymmetric']
MaskFrame: TypeAlias = Literal['image', 'box']
MaskCode: TypeAlias = Literal['probability', 'logit16']
UpsampleMode: TypeAlias = Literal['auto', 'graph', 'edges', 'nearest']

TENSORS: dict[str, tuple[int, tuple[str, ...]]] = {
    'labels': (3, ('uint8', 'int32')),
    'confidence': (3, ('uint8',)),
    'logits': (4, ('float32', 'float16')),
    'boxes': (3, ('float32',)),
    'scores': (2, ('float32',)),
    'classes': (2, ('int32',)),
    'masks': (4, ('uint8',)),
    'instances': (3, ('uint8', 'int32')),
}


@dataclass(frozen=True)
class ModelSignature:
    """
    What one compiled graph promises; it travels in the ONNX metadata beside the card.

    :param size_hw: height and width of the `image` input, in pixels.
    :param channels: channels of `image`: 3, or 1 for a grey network.
    :param max_batch: the largest batch that one call takes; 0 = any.
    :param tensors: names of the tensors that the file gives, of those in `TENSORS`. Where it gives
        `logits`, the engine adds `labels` and `confidence` (see `compile.postprocessing`).
    :param upsampling: how the network itself would enlarge `logits` to `size_hw`: the coordinate
        rule of ONNX Resize.
    :param enlarged: whether the network itself would enlarge `logits` to `size_hw`, so that labels
        of another size are interpolated a second time.
    :param source_hw: size of the only images that the engine was opened for, whose labels it
        gives at that size; None where any image will do. An engine sets it, never a file.
    :param precision: what the network computes in: `fp32`, `fp16` or `int8`.
    :param score_floor: detections below it never leave the graph.
    :param iou: overlap at which the graph's suppression cuts; 0 where it has none.
    :param top_k: candidates that enter the suppression.
    :param max_instances: slots of `boxes`, `scores`, `classes` and `masks`.
    :param mask_frame: whether `masks` span the network's image or each its own box.
    :param mask_code: what a byte of `masks` means: 255 p, or 128 + 16 logit.
    """

    size_hw: tuple[int, int]
    tensors: tuple[str, ...]
    channels: int = 3
    max_batch: int = 1
    upsampling: Upsampling = 'half_pixel'
    enlarged: bool = False
    source_hw: tuple[int, int] | None = None
    precision: str = 'fp32'
    score_floor: float = 0.0
    iou: float = 0.0
    top_k: int = 0
    max_instances: int = 0
    mask_frame: MaskFrame = 'image'
    mask_code: MaskCode = 'probability'

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def mask_level(self, probability: float) -> float:
        """Return the byte of `masks` above which a pixel is at least this probable."""
        if self.mask_code == 'probability':
            return 255 * probability
        odds = probability / (1 - probability) if probability < 1 else np.inf
        return float(np.clip(128 + 16 * np.log(max(odds, 1e-8)), 0, 255))

    def check_source(self, size_hw: tuple[int, int]) -> None:
        """
        Refuse an image of a size that the engine was not opened for.

        :raises ImageError: on any other size.
        """
        if self.source_hw and size_hw != self.source_hw:
            seen, expected = (f'{hw[1]}x{hw[0]}' for hw in (size_hw, self.source_hw))
            raise ImageError(
                f'an image of {seen}', f'{expected}, as source_size has it',
                'change source_size, or leave it empty for cameras of several sizes',
            )

    def check_batch(self, batch: Pixels) -> None:
        """
        Refuse images that the graph was not compiled for.

        :param batch: uint8 (N, H, W, channels).
        :raises ContractError: on any other type or shape.
        """
        expected = (*self.size_hw, self.channels)
        count = len(batch)
        if (
            batch.dtype != np.uint8
            or batch.shape[1:] != expected
            or count < 1
            or (self.max_batch and count > self.max_batch)
        ):
            most = self.max_batch or 'any'
            raise ContractError(
                f'a batch of type {batch.dtype} and shape {batch.shape}',
                f'uint8 (N, {", ".join(map(str, expected))}) with N up to {most}',
            )


def signature_from_dict(data: Mapping[str, Any]) -> ModelSignature:
    """
    Read a contract back from its metadata.

    :raises ModelError: if it was written by a version that knew other keys.
    """
    try:
        values = dict(data)
        values['size_hw'] = tuple(values['size_hw'])
        values['tensors'] = tuple(values['tensors'])
        return ModelSignature(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f'a compiled model with unreadable metadata ({error})',
            do='compile it again with this version',
        ) from error


@dataclass(frozen=True, eq=False)
class Outputs:
    """
    The tensors of one batch, each present or absent as the task has it.

    The arrays belong to the receiver: an engine never writes to them again.

    :param labels: uint8 or int32 (N, h, w), channel index of the best class; 255 (int32: -1) where
        there is none.
    :param confidence: uint8 (N, h, w), probability of that class, 0 to 255.
    :param logits: float (N, C, h, w), class scores where the host refines label edges.
    :param boxes: float32 (N, K, 4), x0, y0, x1, y1 in network pixels, continuous edges (pixel i
        spans [i, i + 1)), best first.
    :param scores: float32 (N, K), 0 where a slot is empty.
    :param classes: int32 (N, K), channel index.
    :param masks: uint8 (N, K, mh, mw), soft masks, coded as the contract says; outside of its box
        a mask means nothing.
    :param instances: uint8 or int32 (N, h, w), slot + 1, 0 = none.
    :param stage_ms: what the runtime measured of its own stages, such as `upload`, `compute` and
        `download`, in milliseconds.
    """

    labels: NDArray[Any] | None = None
    confidence: NDArray[np.uint8] | None = None
    logits: NDArray[Any] | None = None
    boxes: NDArray[np.float32] | None = None
    scores: NDArray[np.float32] | None = None
    classes: NDArray[np.int32] | None = None
    masks: NDArray[np.uint8] | None = None
    instances: NDArray[Any] | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)

    def image(self, index: int) -> 'Outputs':
        """Return the tensors of image `index`, without the batch axis."""
        present: dict[str, Any] = {
            name: array[index] for name, array in self.present().items()
        }
        return Outputs(**present)

    def tensor(self, name: str) -> NDArray[Any]:
        """
        Return the tensor called `name`.

        :raises ContractError: if it is absent.
        """
        array: NDArray[Any] | None = getattr(self, name)
        if array is None:
            raise ContractError(f'outputs {", ".join(self.present())} alone', f'{name} too')
        return array

    def present(self) -> dict[str, NDArray[Any]]:
        """Return the tensors that there are, by name."""
        values = {name: getattr(self, name) for name in TENSORS}
        return {name: array for name, array in values.items() if array is not None}


def outputs_from_tensors(tensors: Mapping[str, NDArray[Any]], count: int) -> Outputs:
    """
    Check what an engine returned against the contract's table and wrap it.

    :param tensors: arrays by name, with the batch axis.
    :param count: images in the batch.
    :raises ContractError: on a name, type, rank or batch size that the table does not allow.
    """
    for name, array in tensors.items():
        if name not in TENSORS:
            raise ContractError(f'an output called {name}', f'some of {", ".join(TENSORS)}')
        rank, kinds = TENSORS[name]
        if array.ndim != rank or str(array.dtype) not in kinds or len(array) != count:
            raise ContractError(
                f'{name} of type {array.dtype} and shape {array.shape}',
                f'{" or ".join(kinds)} with {rank} axes, {count} images',
            )
    present: Mapping[str, Any] = tensors
    return Outputs(**present)


@dataclass(frozen=True)
class EngineFacts:
    """
    What was really opened, for logs and diagnostics.

    :param engine: `openvino`, `onnxruntime`, `tensorrt` or `classical`.
    :param device: as the runtime names it.
    :param precision: that the network computes in, as the runtime reports it.
    :param threads: of the runtime; 0 where it chooses itself.
    :param notes: anything that a user should know, such as a batch that had to be split.
    :param ended: why the engine answers no more; empty while it does.
    """

    engine: str
    device: str
    precision: str
    threads: int = 0
    upsample: UpsampleMode = 'nearest'
    version: str = ''
    notes: tuple[str, ...] = field(default_factory=tuple)
    ended: str = ''


class Engine(Protocol):
    """A network that is ready to run. `close` gives its memory back and may be called twice."""

    card: ModelCard
    signature: ModelSignature
    facts: EngineFacts

    def submit(self, batch: Pixels) -> 'Future[Outputs]':
        """
        Start on a batch. Where the runtime blocks, the caller computes and the future is done.

        :param batch: uint8 (N, H, W, channels) as the contract says, kept alive by the engine.
        :returns: a future of `Outputs`; it raises EngineError where the runtime failed.
        """

    def close(self) -> None:
        """Wait for what is under way and free everything."""
