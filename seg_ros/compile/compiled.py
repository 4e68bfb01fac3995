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

"""Reads and writes compiled models: graph, card and signature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from seg_ros.compile.onnx_file import read_onnx
from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import metadata_from_texts, texts_from_metadata
from seg_ros.core.signature import ModelSignature


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """
    One deployable model in memory.

    :param model: graph from `image` to the signature's outputs.
    :param notes: notes and warnings of the compilation.
    :param parity: how its masks compare with those of fp32; see `core.compiled_file`.
    """

    model: onnx.ModelProto
    card: ModelCard
    signature: ModelSignature
    notes: tuple[str, ...] = ()
    parity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """Return the network's precision: `fp32`, `fp16` or `int8`."""
        return self.signature.precision


def write_metadata(
    model: onnx.ModelProto, card: ModelCard, signature: ModelSignature, notes: Sequence[str]
) -> None:
    """Replace all metadata of a model with card, signature and notes."""
    onnx.helper.set_model_props(model, texts_from_metadata(card, signature, notes))


def metadata_of(model: onnx.ModelProto) -> dict[str, str]:
    """Return a model's metadata."""
    return {item.key: item.value for item in model.metadata_props}


def load_compiled(path: Path) -> CompiledModel:
    """
    Read a file that `seg_ros compile` wrote, including its graph.

    :raises ModelError: as `core.compiled_file.read_compiled` does.
    """
    return compiled_from_model(read_onnx(path)[0], path.name)


def compiled_from_model(model: onnx.ModelProto, name: str) -> CompiledModel:
    """
    Make a compiled model from a graph and the metadata in it.

    :param name: name of the model in error messages.
    :raises ModelError: as `load_compiled` does.
    """
    found = metadata_from_texts(metadata_of(model), name)
    return CompiledModel(model, found.card, found.signature, found.notes, found.parity)
