"""`seg_ros inspect`: what a model file is, and what could be made of it."""

import argparse
from pathlib import Path
from typing import Any

import onnx
from seg_ros.commands.figures import compiled_figures, print_figures
from seg_ros.core.card import ClassInfo, ModelCard, read_card
from seg_ros.core.errors import ModelError
from seg_ros.graph.compiled import compiled_from_model, CompiledModel, is_compiled
from seg_ros.graph.exporter_card import card_from_metadata
from seg_ros.graph.families import pick, readings
from seg_ros.graph.intake import network_from_model
from seg_ros.graph.network import described
from seg_ros.graph.onnx_file import read_onnx
from seg_ros.graph.operators import check_operators, forbidden_nodes
from seg_ros.graph.piece import opset_of

SUMMARY = 'tell what a model file is: card, contract and classes, or what could be made of it'
EXAMPLE = 'seg_ros inspect yolov8n-seg.model.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument('model', type=Path, help='a compiled model or a raw network, ONNX')
    parser.add_argument('--card', type=Path, help='for a raw network: the card to try it with')
    parser.add_argument('--json', action='store_true', help='print the figures as one object')


def run(args: argparse.Namespace) -> int:
    """Read the file and tell."""
    model, sha256 = read_onnx(args.model)
    figures: dict[str, Any] = {'file': str(args.model), 'sha256': sha256}
    if is_compiled(model):
        figures |= _compiled(compiled_from_model(model, sha256, args.model.name))
    else:
        figures |= _raw(model, args.model.stem, read_card(args.card) if args.card else None)
    print_figures(figures, args.json)
    return 0


def _compiled(compiled: CompiledModel) -> dict[str, Any]:
    card = compiled.card
    return {
        'kind': 'compiled model',
        **compiled_figures(compiled),
        'licence': card.licence or 'not given',
        'source': f'{card.source}, SHA-256 {card.source_sha256}',
        'classes': [_told(item) for item in card.classes],
        'operators': check_operators(compiled.model) or 'as TensorRT takes them',
    }


def _told(item: ClassInfo) -> str:
    color = '#{:02x}{:02x}{:02x}'.format(*item.color)
    words = [f'{item.id} {item.name}', color, *(['thing'] if item.thing else []), *item.roles]
    return ' '.join(words)


def _raw(model: onnx.ModelProto, name: str, card: ModelCard | None) -> dict[str, Any]:
    return {
        'kind': 'raw network, to be compiled',
        'exporter': f'{model.producer_name} {model.producer_version}'.strip() or 'unknown',
        'opset': opset_of(model),
        'inputs': [described(item) for item in model.graph.input],
        'outputs': [described(item) for item in model.graph.output],
        'operators': forbidden_nodes(model) or 'none that TensorRT refuses by name',
        **_prospects(model, name, card),
    }


def _prospects(model: onnx.ModelProto, name: str, card: ModelCard | None) -> dict[str, Any]:
    """Tell what `compile` would make of a raw network; what stands against it is a figure too."""
    try:
        if card is None and any(item.key == 'names' for item in model.metadata_props):
            card = card_from_metadata(model, name)
        network = network_from_model(model, card.input if card else None)
        found, reasons = readings(network, card.family if card else '')
        figures = {'readings': [str(reading) for reading in found], 'declined': reasons}
    except ModelError as error:
        return {'readings': [], 'declined': [str(error)]}
    try:
        chosen = str(pick(network, card)) if card else 'needs a card: --card CARD.yaml'
    except ModelError as error:
        chosen = f'none: {error}'
    return {**figures, 'family': chosen}
