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

"""The compiled file: an ONNX graph with its card and signature in the metadata."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
import json
from pathlib import Path
from typing import Any

from seg_ros.core.card import ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import ModelError
from seg_ros.core.onnx_metadata import read_metadata
from seg_ros.core.onnx_subgraph import onnx_subgraph
from seg_ros.core.signature import ModelSignature, signature_from_dict

CARD, SIGNATURE, NOTES = 'seg_ros.card', 'seg_ros.signature', 'seg_ros.notes'
PARITY = 'seg_ros.parity'
_LEGACY_SIGNATURE = 'seg_ros.contract'   # key in files of earlier versions
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Metadata:
    """
    The metadata of a compiled file.

    :param notes: messages of its compilation.
    :param parity: agreement of its masks with those of the same model in fp32, as figures of
        `metrics.parity`; empty if not measured.
    """

    card: ModelCard
    signature: ModelSignature
    notes: tuple[str, ...] = ()
    parity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CompiledFile:
    """
    One deployable model on disk.

    :param metadata: already read; the graph is read by the engine.
    """

    path: Path
    metadata: Metadata

    @property
    def card(self) -> ModelCard:
        """Return the model's card."""
        return self.metadata.card

    @property
    def signature(self) -> ModelSignature:
        """Return the model's signature."""
        return self.metadata.signature

    @property
    def precision(self) -> str:
        """Return the precision of the network."""
        return self.signature.precision

    @cached_property
    def sha256(self) -> str:
        """
        Return the file's digest, used as a cache key.

        :raises ModelError: if the file cannot be read.
        """
        digest = sha256()
        try:
            with self.path.open('rb') as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise self._unreadable(error) from error
        return digest.hexdigest()

    def graph_of(self, outputs: Collection[str]) -> bytes:
        """
        Return an ONNX file with the part of the graph that computes some outputs.

        The runtimes' own ways to select outputs do not suffice: ONNX Runtime still computes all of
        them, and TensorRT refuses uint8 tensors that are not an output.

        :raises ModelError: if the file is unreadable, changed since `sha256`, or lacks an output.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error
        if sha256(data).hexdigest() != self.sha256:
            raise ModelError(f'{self.path.name} changed while it was read', do='load it again')
        return onnx_subgraph(data, outputs, self.path.name)

    def _unreadable(self, error: OSError) -> ModelError:
        return ModelError(f'{self.path} cannot be read ({error.strerror})', 'an ONNX file')


def read_compiled(path: Path) -> CompiledFile:
    """
    Read the metadata of a file written by `seg_ros compile`.

    :raises ModelError: if it is missing, truncated, not compiled, or compiled by a version with
        other metadata.
    """
    return CompiledFile(path, metadata_from_texts(read_metadata(path), path.name))


def is_compiled(texts: Mapping[str, str]) -> bool:
    """Return whether this is the metadata of a compiled model, not of an exported network."""
    return SIGNATURE in texts or _LEGACY_SIGNATURE in texts


def texts_from_metadata(
    card: ModelCard, signature: ModelSignature, notes: Sequence[str]
) -> dict[str, str]:
    """Return metadata in the form that `metadata_from_texts` reads."""
    values = {CARD: card.to_dict(), SIGNATURE: signature.to_dict(), NOTES: list(notes)}
    return {key: json.dumps(value) for key, value in values.items()}


def metadata_from_texts(texts: Mapping[str, str], name: str) -> Metadata:
    """
    Read a model's metadata.

    :param name: name of the model in errors.
    :raises ModelError: as in `read_compiled`.
    """
    if not is_compiled(texts):
        raise ModelError(
            f'{name} is an exported network', 'a compiled model',
            f'run: seg_ros compile {name} --card CARD.yaml -o MODEL.onnx',
        )
    if SIGNATURE not in texts:
        raise ModelError(
            f'{name} was compiled by an earlier version', 'a file with the outputs of this one',
            'compile the exported network again with this version',
        )
    try:
        return Metadata(
            card_from_dict(_object(texts, CARD)),
            signature_from_dict(_object(texts, SIGNATURE)),
            tuple(map(str, _decoded(texts.get(NOTES, '[]'), list))),
            _decoded(texts.get(PARITY, '{}'), dict),
        )
    # Deeply nested JSON raises RecursionError, a number of 400 digits OverflowError.
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, ModelError) as error:
        raise ModelError(
            f'{name} has metadata that this version cannot read ({_words(error)})',
            do='compile it again with this version',
        ) from error


def _object(texts: Mapping[str, str], key: str) -> dict[str, Any]:
    value: dict[str, Any] = _decoded(texts[key], dict)
    return value


def _decoded(text: str, kind: type) -> Any:
    value = json.loads(text)
    if not isinstance(value, kind):
        raise TypeError(f'{type(value).__name__} instead of {kind.__name__}')
    return value


def _words(error: Exception) -> str:
    return f'no {error}' if isinstance(error, KeyError) else str(error)
