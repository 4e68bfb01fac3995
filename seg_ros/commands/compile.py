"""`seg_ros compile`: a trained network and its card made into one deployable file."""

import argparse
from dataclasses import fields
from pathlib import Path

from seg_ros.core.card_reading import read_card
from seg_ros.core.errors import ModelError
from seg_ros.graph.baked import Baked

SUMMARY = 'make one deployable file of a trained network and its card'
EXAMPLE = 'seg_ros compile yolov8n-seg.onnx --card card.yaml -o yolov8n-seg.model.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument('raw', type=Path, help='the network as its exporter wrote it, ONNX')
    parser.add_argument(
        '--card', type=Path,
        help='the model card, YAML; may be left out where the exporter wrote the class names',
    )
    parser.add_argument('-o', '--output', type=Path, required=True, help='the file to write')
    for item in fields(Baked):
        facts = item.metadata
        parser.add_argument(
            f'--{item.name.replace("_", "-")}', type=type(item.default), default=item.default,
            help=f'{facts["meaning"]} {facts["low"]:g} to {facts["high"]:g}, {item.default:g} '
            'if not given.',
        )
    parser.add_argument('--json', action='store_true', help='print the figures as one object')


def run(args: argparse.Namespace) -> int:
    """
    Compile, write and tell what came out.

    :raises SegError: as `compile_model` does, or if a file cannot be read or written.
    """
    # The graph layer takes a second to import, which --help need not wait for.
    from seg_ros.commands.figures import compiled_figures, print_figures
    from seg_ros.graph.compile import compile_model
    from seg_ros.graph.compiled import compiled_from_model

    card = read_card(args.card) if args.card else None
    options = {item.name: getattr(args, item.name) for item in fields(Baked)}
    model = compile_model(args.raw, card, **options)
    data = model.SerializeToString()
    try:
        args.output.write_bytes(data)
    except OSError as error:
        raise ModelError(
            f'{args.output} cannot be written ({error.strerror})', 'a folder that takes files'
        ) from error
    figures = {'file': str(args.output), 'bytes': len(data)}
    figures |= compiled_figures(compiled_from_model(model, '', args.output.name))
    print_figures(figures, args.json)
    return 0
