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

"""Joins preprocessing, network and decoder into one deployable ONNX model."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.compose import add_prefix
from seg_ros import __version__
from seg_ros.compile.batching import batch_obstacle
from seg_ros.compile.compiled import metadata_of, write_metadata
from seg_ros.compile.constant_nodes import with_constants_folded
from seg_ros.compile.crf_refinement import with_crf
from seg_ros.compile.export_options import ExportOptions
from seg_ros.compile.exporter_card import card_from_metadata
from seg_ros.compile.families import select_family
from seg_ros.compile.families.output_interpretation import Decoded, OutputInterpretation
from seg_ros.compile.import_onnx import network_from_model
from seg_ros.compile.left_out import left_out_notes
from seg_ros.compile.network import Network, with_outputs
from seg_ros.compile.onnx_file import read_onnx
from seg_ros.compile.operators import forbidden_nodes
from seg_ros.compile.own_normalisation import own_normalisation_warning
from seg_ros.compile.postprocessing import label_outputs
from seg_ros.compile.preprocessing import make_preprocessing
from seg_ros.compile.subgraph import build_subgraph, chain, NETWORK_PREFIX
from seg_ros.compile.tensor_info import TensorInfo
from seg_ros.compile.trial import range_warning
from seg_ros.compile.trunk import arithmetic_of
from seg_ros.compile.unused import unused_notes
from seg_ros.compile.validation import check_graph, refuse_operators, trial_outputs
from seg_ros.compile.value_info import set_batch, set_output_shapes
from seg_ros.core.card import ModelCard
from seg_ros.core.compiled_file import is_compiled
from seg_ros.core.errors import CardError, ModelError, SettingError
from seg_ros.core.signature import ModelSignature
from seg_ros.core.tensors import IMAGE
from spox import argument, Tensor, Var


def compile_model(raw: Path, card: ModelCard | None = None, **options: Any) -> onnx.ModelProto:
    """
    Compile a network into one graph with its card and signature as metadata.

    :param raw: ONNX file as written by an exporter.
    :param card: describes input and classes; None takes what the exporter wrote into the file.
    :param options: fields of `ExportOptions`.
    :returns: model from `image`, uint8 (N, H, W, C), to the outputs that `core.output_choice`
        selects from.
    :raises SettingError: if an option is out of range.
    :raises ModelError: if the file cannot be read or has operators that not every engine supports.
    :raises CardError: if card and network contradict each other, or there is no card.
    :raises FamilyError: if no family can interpret the outputs.
    """
    export = ExportOptions(**options)
    network, card = _read_network(raw, card, export)
    interpretation, others = _interpret(network, card)
    refuse_operators(forbidden_nodes(network.part(interpretation.tensor_infos, 1)))
    _check_floor(interpretation, card, export)
    obstacle = batch_obstacle(network, interpretation.tensor_infos)
    whole, signature, notes = _compose(
        network, interpretation, card, export, 1 if obstacle else 'N'
    )
    card = replace(card.with_input_size(network.size_hw), family=interpretation.family)
    notes = [
        *_notes(network, interpretation, obstacle),
        *left_out_notes(
            network, [interpretation, *others],
            partial(_compose, network, card=card, options=export, batch=1),
        ),
        *unused_notes(network, card, export, signature), *notes,
    ]
    write_metadata(whole, card, signature, notes)
    whole.producer_name, whole.producer_version = 'seg_ros', __version__
    check_graph(whole)
    set_output_shapes(whole, trial_outputs(whole, signature))
    return whole


def _read_network(
    raw: Path, card: ModelCard | None, options: ExportOptions
) -> tuple[Network, ModelCard]:
    """Read a network, and add to its card what the file says."""
    model, sha256 = read_onnx(raw)
    if is_compiled(metadata_of(model)):
        raise ModelError(f'{raw.name} is compiled already', 'a network as its exporter wrote it')
    card = card or card_from_metadata(model, raw.stem)
    network = with_constants_folded(
        network_from_model(with_outputs(model, card.outputs), card.input, options.max_prompts)
    )
    return network, replace(
        card, input=replace(network.spec, size=card.input.size),
        source=card.source or raw.name, source_sha256=sha256,
    )


def _compose(
    network: Network,
    interpretation: OutputInterpretation,
    card: ModelCard,
    options: ExportOptions,
    batch: int | str,
) -> tuple[onnx.ModelProto, ModelSignature, Sequence[str]]:
    """Chain the three parts; a prefix on the network's names avoids name clashes."""
    arguments = {
        f'{NETWORK_PREFIX}{tensor_info.name}': argument(
            Tensor(tensor_info.dtype, tensor_info.batched(batch))
        )
        for tensor_info in interpretation.tensor_infos
    }
    decoded = interpretation.decode(list(arguments.values()), card, options)
    if card.refine == 'crf':
        shape = (batch, *network.size_hw, network.channels)
        image = argument(Tensor(np.dtype(np.uint8), shape))
        decoded = with_crf(decoded, image, network.size_hw)
        arguments[IMAGE] = image
    preprocessing = make_preprocessing(network, card.input, batch)
    part = network.part(interpretation.tensor_infos, batch)
    network_part = add_prefix(part, NETWORK_PREFIX)
    max_batch = 0 if batch == 'N' else 1
    tensors, signature = _with_label_outputs(decoded, network, card, options, max_batch)
    decoder = build_subgraph('decode', arguments, tensors, network.opset)
    whole = chain(preprocessing, network_part, decoder)
    for item in whole.graph.output:
        set_batch(item, batch)
    if signature.arithmetic == 'any':
        signature = replace(signature, arithmetic=arithmetic_of(whole))
    return whole, signature, decoded.notes


def _with_label_outputs(
    decoded: Decoded, network: Network, card: ModelCard, options: ExportOptions, max_batch: int
) -> tuple[dict[str, Var], ModelSignature]:
    """Add the label outputs that engines may select, and describe all outputs in a signature."""
    tensors, sizes = dict(decoded.tensors), options.source_sizes
    signature = ModelSignature(
        network.size_hw, (), network.channels, max_batch, **decoded.facts
    )
    if 'logits' not in tensors and sizes:
        raise SettingError(
            '--source-size with a network that has no class scores to enlarge',
            'the command without --source-size',
        )
    if 'logits' in tensors:
        tensors |= label_outputs(tensors['logits'], card, signature, sizes)
    return tensors, replace(signature, tensors=tuple(tensors), source_sizes=sizes)


def _check_floor(
    interpretation: OutputInterpretation, card: ModelCard, options: ExportOptions
) -> None:
    if interpretation.task != 'semantic' and card.thresholds.score < options.score_floor:
        raise CardError(
            f"the card's thresholds.score {card.thresholds.score:g} lies below the score floor "
            f'{options.score_floor:g}',
            'a floor at or below it', 'raise the threshold or lower --score-floor',
        )


def _interpret(
    network: Network, card: ModelCard
) -> tuple[OutputInterpretation, list[OutputInterpretation]]:
    """
    Select an interpretation of the outputs, and return the alternatives with it.

    :raises ModelError: if there is none; if operators are unsupported, the error lists these.
    """
    try:
        return select_family(network, card)
    except CardError:
        raise
    except ModelError:
        refuse_operators(forbidden_nodes(network.model))
        raise


def _notes(network: Network, interpretation: OutputInterpretation, obstacle: str) -> list[str]:
    """Return notes and warnings for the user that the signature does not contain."""
    notes = [f'read as {interpretation.family}: {interpretation.words}']
    if obstacle:
        advice = '' if network.prompts else '; exports with a dynamic batch take more'
        notes.append(f'one image a call: {obstacle}{advice}')
    warnings = [range_warning(network.spec) or own_normalisation_warning(network), *(
        _number_warning(network, tensor_info) for tensor_info in interpretation.tensor_infos
    )]
    return [*notes, *(f'warning: {warning}' for warning in warnings if warning)]


def _number_warning(network: Network, tensor_info: TensorInfo) -> str:
    """Return a warning if a tensor has NaN or infinite values on the trial images."""
    if tensor_info.dtype.kind != 'f':
        return ''
    arrays = network.trial_values(tensor_info.name)
    share = 1 - np.mean([np.isfinite(array).mean() for array in arrays])
    if not share:
        return ''
    return (
        f'{100 * share:.3g} % of the values of {tensor_info.name} are NaN or infinite on trial '
        'images: check scale, mean and std in the card, or export in fp32'
    )
