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

"""A small network of the zoo with random weights, in memory and as files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import onnx
from seg_ros.compile.bfloat16 import in_bfloat16
from seg_ros.compile.compile_model import compile_model
from seg_ros.compile.compiled import load_compiled
from seg_ros.compile.precision import convert_precision
from seg_ros.compile.prompt_inputs import trial_boxes
from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import read_compiled
from seg_ros.core.frame import Frame
from seg_ros.zoo.architectures import NetworkRequest
from seg_ros.zoo.export import build_network, export_network, make_card
from seg_ros.zoo.networks.sam import prompts_from_boxes
from seg_ros.zoo.random_weights import scale_random_weights


@dataclass(frozen=True, eq=False)
class SmallNetwork:
    """
    One network with its card.

    :param network: torch module.
    :param raw: the exported network.
    :param path: the compiled file.
    """

    request: NetworkRequest
    network: Any
    raw: onnx.ModelProto
    card: ModelCard
    path: Path

    def file_in(self, precision: str) -> Path:
        """Return the file in a precision, written once; `bf16` is emulated by rounding."""
        path = self.path.with_name(f'{precision}.onnx')
        if not path.is_file():
            compiled = load_compiled(self.path)
            converted = (
                in_bfloat16(compiled) if precision == 'bf16'
                else convert_precision(compiled, precision)
            )
            onnx.save(converted.model, path)
        return path

    def boxes(self) -> NDArray[np.float32] | None:
        """Return the boxes that `parity.trial_memory` asks for, in the network's pixels."""
        count = read_compiled(self.path).signature.max_prompts
        return trial_boxes(count, self.request.size_hw)[0] if count else None

    def feeds(self, frame: Frame) -> dict[str, NDArray[Any]]:
        """Return the inputs of the exported network."""
        feeds = {'images': tensor_from_frame(frame, self.card).numpy()}
        boxes = self.boxes()
        if boxes is not None:
            import torch

            prompts = prompts_from_boxes(torch.from_numpy(boxes))
            names = self.request.architecture.prompts
            feeds |= {
                name: tensor.numpy() for name, tensor in zip(names, prompts, strict=True)
            }
        return feeds


def make_network(request: NetworkRequest, frames: Sequence[Frame], folder: Path) -> SmallNetwork:
    """
    Build a network, scale its random weights so that it finds something, and compile it.

    :param frames: by which the weights are scaled.
    :param folder: for its files.
    :raises SegError: if a package is missing, or it cannot be compiled.
    """
    import torch

    torch.manual_seed(0)
    card = _card(request)
    images = torch.cat([tensor_from_frame(frame, card) for frame in frames])
    network = scale_random_weights(build_network(request), request, images)
    exported = export_network(network, request)
    raw, path = folder / 'raw.onnx', folder / 'model.onnx'
    onnx.save(exported.model, raw)
    onnx.save(compile_model(raw, card), path)
    return SmallNetwork(request, network, exported.model, card, path)


def _card(request: NetworkRequest) -> ModelCard:
    card = make_card(request, [
        {'id': index, 'name': f'class {index}', 'thing': index > 8}
        for index in range(request.classes)
    ])
    # The CRF after the scores is not part of the network, and has its own tests. Random weights
    # give low scores: with the usual thresholds there would be no masks to compare.
    limits = replace(card.thresholds, score=0.1, visible=min(0.1, card.thresholds.visible))
    return replace(
        card, refine='none', thresholds=limits, input=replace(card.input, fit='stretch')
    )


def tensor_from_frame(frame: Frame, card: ModelCard) -> Any:
    """Resize and normalise as in training: float32 (1, 3, H, W)."""
    import torch

    rgb = frame.pixels[:, :, ::-1] if frame.color == 'bgr' else frame.pixels
    size_wh = card.input.size[::-1]
    small = cv2.resize(np.ascontiguousarray(rgb), size_wh, interpolation=cv2.INTER_LINEAR)
    values = (small * card.input.scale - np.array(card.input.mean)) / np.array(card.input.std)
    return torch.from_numpy(values.astype(np.float32).transpose(2, 0, 1)[None].copy())
