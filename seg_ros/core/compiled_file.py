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

"""The compiled file: a graph that carries its card and its signature in its metadata."""

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
_EARLIER = 'seg_ros.contract'   # what files carried whose outputs engines had to complete
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Metadata:
    """
    What a compiled file says of itself.

    :param notes: what its compilation had to report.
    :param parity: how its masks compare with those of the same model in fp32, by the names of
        `metrics.parity`; empty where nobody compared.
    """

    card: ModelCard
    signature: ModelSignature
    notes: tuple[str, ...] = ()
    parity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CompiledFile:
    """
    One deployable model on disk.

    :param metadata: read already; the graph is read by whoever runs it.
    """

    path: Path
    metadata: Metadata

    @property
    def card(self) -> ModelCard:
        """Return what its input and its classes mean."""
        return self.metadata.card

    @property
    def signature(self) -> ModelSignature:
        """Return what it takes and gives."""
        return self.metadata.signature

    @property
    def precision(self) -> str:
        """Return what the network computes in."""
        return self.signature.precision

    @cached_property
    def sha256(self) -> str:
        """
        Return the file's digest, for caches that are keyed by it.

        :raises ModelError: if the file is gone.
        """
        digest = sha256()
        try:
            with self.path.open('rb') as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise self._gone(error) from error
        return digest.hexdigest()

    def graph_of(self, outputs: Collection[str]) -> bytes:
        """
        Return an ONNX file of the graph that computes some outputs, for a runtime to open.

        Runtimes have ways of their own to leave outputs out, but ONNX Runtime computes them all
        the same, and TensorRT refuses bytes that are not an output.

        :raises ModelError: if the file is gone, changed since `sha256` was taken, or lacks one.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise self._gone(error) from error
        if sha256(data).hexdigest() != self.sha256:
            raise ModelError(f'{self.path.name} changed while it was read', do='load it again')
        return onnx_subgraph(data, outputs, self.path.name)

    def _gone(self, error: OSError) -> ModelError:
        return ModelError(f'{self.path} cannot be read ({error.strerror})', 'an ONNX file')


def read_compiled(path: Path) -> CompiledFile:
    """
    Read what a file that `seg_ros compile` wrote says of itself.

    :raises ModelError: if it is missing, truncated, not compiled, or compiled by a version that
        wrote other metadata.
    """
    return CompiledFile(path, metadata_from_texts(read_metadata(path), path.name))


def is_compiled(texts: Mapping[str, str]) -> bool:
    """Return whether this is the metadata of a compiled model, not of an exporter's network."""
    return SIGNATURE in texts or _EARLIER in texts


def texts_from_metadata(
    card: ModelCard, signature: ModelSignature, notes: Sequence[str]
) -> dict[str, str]:
    """Write metadata as `metadata_from_texts` reads them."""
    values = {CARD: card.to_dict(), SIGNATURE: signature.to_dict(), NOTES: list(notes)}
    return {key: json.dumps(value) for key, value in values.items()}


def metadata_from_texts(texts: Mapping[str, str], name: str) -> Metadata:
    """
    Read a model's metadata back, whoever wrote them.

    :param name: what errors call the model.
    :raises ModelError: as `read_compiled` does.
    """
    if not is_compiled(texts):
        raise ModelError(
            f'{name} is a network as its exporter wrote it', 'a compiled model',
            f'run: seg_ros compile {name} --card CARD.yaml -o MODEL.onnx',
        )
    if SIGNATURE not in texts:
        raise ModelError(
            f'{name} was compiled by an earlier version', 'a file with its outputs to choose from',
            'compile the exported network again with this version',
        )
    try:
        return Metadata(
            card_from_dict(_object(texts, CARD)),
            signature_from_dict(_object(texts, SIGNATURE)),
            tuple(map(str, _decoded(texts.get(NOTES, '[]'), list))),
            _decoded(texts.get(PARITY, '{}'), dict),
        )
    # Deeply nested JSON ends in a RecursionError, a number of 400 digits in an OverflowError.
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
