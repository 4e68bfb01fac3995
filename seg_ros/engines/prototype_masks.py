"""Masks mixed from prototypes on the host, for filled slots and where their boxes are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from seg_ros.compile.prototype_masks import Mixture
from seg_ros.core.frame import Pixels
from seg_ros.engines.blocking import Run

_MARGIN = 2     # cells around a box, so that its border is interpolated from what is there


def masks_from_prototypes(run: Run, mixture: Mixture) -> Run:
    """
    Complete what an unmixed graph gives.

    Inside a graph, every slot costs a whole mask, filled or not. A CPU is quicker with those parts
    alone that are looked at; on a GPU the whole is one product that hardly takes time.
    """
    def mixed(batch: Pixels) -> Mapping[str, NDArray[Any]]:
        tensors = dict(run(batch))
        coefficients, prototypes = (
            np.asarray(tensors.pop(name), np.float32) for name in mixture.names
        )
        masks = np.zeros((len(batch), *mixture.shape), np.uint8)
        for number, image in enumerate(masks):
            _mix(
                image, coefficients[number], prototypes[number], tensors['boxes'][number],
                np.flatnonzero(tensors['scores'][number] > 0), mixture,
            )
        return {**tensors, 'masks': masks}

    return mixed


def _mix(
    masks: NDArray[np.uint8], coefficients: NDArray[np.float32], prototypes: NDArray[np.float32],
    boxes: NDArray[np.float32], slots: NDArray[np.intp], mixture: Mixture,
) -> None:
    """Write one image's masks, uint8 (K, h, w), as the graph's decoder codes them."""
    _, height, width = mixture.shape
    square = prototypes.reshape(-1, height, width)
    scale_yx = height / mixture.network_hw[0], width / mixture.network_hw[1]
    spans = boxes[slots] * np.array(scale_yx[::-1] * 2, np.float32)
    spans += np.array((-_MARGIN, -_MARGIN, _MARGIN + 1, _MARGIN + 1), np.float32)
    windows = np.clip(spans, 0, (width, height) * 2).astype(np.int64)
    for slot, (x0, y0, x1, y1) in zip(slots, windows.tolist(), strict=True):
        part = square[:, y0:y1, x0:x1]
        logits = coefficients[slot] @ part.reshape(len(part), -1)
        masks[slot, y0:y1, x0:x1] = _coded(logits, mixture).reshape(part.shape[1:])


def _coded(logits: NDArray[np.float32], mixture: Mixture) -> NDArray[np.float32]:
    if mixture.mask_code == 'probability':
        with np.errstate(over='ignore'):    # exp(89) is infinite, and 1 / (1 + infinity) is 0
            return np.rint(255 / (1 + np.exp(-logits)))
    return np.clip(np.rint(logits * 16 + 128), 0, 255)
