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

"""Figures of a model file."""

from collections.abc import Sequence
from typing import Any

import onnx
from seg_ros.compile.compiled import CompiledModel, metadata_of
from seg_ros.compile.constant_nodes import with_constants_folded
from seg_ros.compile.exporter_card import card_from_metadata
from seg_ros.compile.families import interpretations, select_family
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.operators import check_operators, forbidden_nodes, Violation
from seg_ros.compile.subgraph import opset_of
from seg_ros.compile.value_info import describe
from seg_ros.core.card import ClassInfo, ModelCard
from seg_ros.core.errors import ModelError
from seg_ros.core.tensors import IMAGE, PROMPTS

NEEDS_CARD = 'needs a card: --first-card prints one to complete'


def compiled_figures(compiled: CompiledModel) -> dict[str, Any]:
    """Return the inputs, outputs and limits of a compiled model."""
    card, signature = compiled.card, compiled.signature
    limits = {
        key: getattr(signature, key) for key in ('score_floor', 'iou', 'top_k', 'max_instances')
    }
    inputs = {item.name: describe(item) for item in compiled.model.graph.input}
    return {
        'model': card.name,
        'task': card.task,
        'family': card.family,
        'input': f'{inputs[IMAGE]} {card.input.color}, {card.input.fit}',
        **({PROMPTS: inputs[PROMPTS]} if PROMPTS in inputs else {}),
        'outputs': [describe(item) for item in compiled.model.graph.output],
        'batch': signature.max_batch or 'any',
        'precision': compiled.precision,
        **_parity_figures(compiled),
        **(limits if signature.max_instances else {}),
        'notes': list(compiled.notes),
    }


def _parity_figures(compiled: CompiledModel) -> dict[str, Any]:
    """Return the agreement of a reduced model with fp32."""
    if compiled.precision == 'fp32':
        return {}
    if not compiled.parity:
        return {'parity': 'not measured: compile with --calibrate'}
    return {'parity': dict(compiled.parity)}


def deployed_figures(compiled: CompiledModel) -> dict[str, Any]:
    """Return all figures of a compiled model."""
    card = compiled.card
    return {
        'kind': 'compiled model',
        **compiled_figures(compiled),
        'licence': card.licence or 'not given',
        'source': f'{card.source}, SHA-256 {card.source_sha256}',
        'classes': [_class_figures(item) for item in card.classes],
        'operators': _lines(check_operators(compiled.model)) or 'supported by TensorRT',
    }


def _class_figures(item: ClassInfo) -> str:
    color = '#{:02x}{:02x}{:02x}'.format(*item.color)
    parts = [f'{item.id} {item.name}', color, *(['thing'] if item.thing else []), *item.roles]
    return ' '.join(parts)


def raw_figures(model: onnx.ModelProto, name: str, card: ModelCard | None) -> dict[str, Any]:
    """
    Return the figures of a raw network, and how it would be compiled.

    :param name: of the card that is made from the exporter's metadata if `card` is None.
    """
    return {
        'kind': 'raw network, to be compiled',
        'exporter': f'{model.producer_name} {model.producer_version}'.strip() or 'unknown',
        'opset': opset_of(model),
        'inputs': [describe(item) for item in model.graph.input],
        'outputs': [describe(item) for item in model.graph.output],
        'operators': _refused(model),
        **_prospects(model, name, card),
    }


def _refused(model: onnx.ModelProto) -> list[str] | str:
    return _lines(forbidden_nodes(model)) or 'none known to be unsupported by TensorRT'


def _lines(violations: Sequence[Violation]) -> list[str]:
    return [str(violation) for violation in violations]


def _prospects(model: onnx.ModelProto, name: str, card: ModelCard | None) -> dict[str, Any]:
    """Return how `compile` would interpret a raw network, or why it could not."""
    try:
        if card is None and 'names' in metadata_of(model):
            card = card_from_metadata(model, name)
        network = with_constants_folded(network_from_model(model, card.input if card else None))
        found, reasons = interpretations(network, card.family if card else '')
        figures = {
            'operators': _refused(network.model),
            'readings': [str(interpretation) for interpretation in found],
            'declined': reasons,
        }
    except ModelError as error:
        return {'readings': [], 'declined': [str(error)]}
    try:
        chosen = str(select_family(network, card)[0]) if card else NEEDS_CARD
    except ModelError as error:
        chosen = f'none: {error}'
    return {**figures, 'family': chosen}
