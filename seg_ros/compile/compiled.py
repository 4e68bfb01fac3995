"""The compiled file: a graph that carries its card and its contract in its metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

import onnx
from seg_ros.compile.onnx_file import read_onnx
from seg_ros.core.card import ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.core.errors import CardError, ModelError
from seg_ros.core.signature import ModelSignature, signature_from_dict

CARD, CONTRACT, NOTES = 'seg_ros.card', 'seg_ros.contract', 'seg_ros.notes'
PARITY = 'seg_ros.parity'


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """
    One deployable model.

    :param model: the graph from `image` to the tensors of the contract.
    :param sha256: of the file, for caches that are keyed by it.
    :param notes: what its compilation had to tell.
    :param parity: how its masks compare with those of the same model in fp32, by the names of
        `core.parity`; empty where nobody compared.
    """

    model: onnx.ModelProto
    card: ModelCard
    signature: ModelSignature
    sha256: str
    notes: tuple[str, ...] = ()
    parity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """Return what the network computes in."""
        return self.signature.precision


def stamp(
    model: onnx.ModelProto, card: ModelCard, signature: ModelSignature, notes: Sequence[str]
) -> None:
    """Write card, contract and notes into a model's metadata, in the place of all other."""
    del model.metadata_props[:]
    values = {CARD: card.to_dict(), CONTRACT: signature.to_dict(), NOTES: list(notes)}
    for key, value in values.items():
        model.metadata_props.add(key=key, value=json.dumps(value))


def is_compiled(model: onnx.ModelProto) -> bool:
    """Tell a compiled model from a network as its exporter wrote it."""
    return any(item.key == CONTRACT for item in model.metadata_props)


def read_compiled(path: Path) -> CompiledModel:
    """
    Read a file that `seg_ros compile` wrote.

    :raises ModelError: if it is missing, truncated, not compiled, or compiled by a version that
        wrote other metadata.
    """
    model, sha256 = read_onnx(path)
    return compiled_from_model(model, sha256, path.name)


def compiled_from_model(model: onnx.ModelProto, sha256: str, name: str) -> CompiledModel:
    """
    Read a model's metadata back.

    :param name: what errors call the model.
    :raises ModelError: as `read_compiled` does.
    """
    if not is_compiled(model):
        raise ModelError(
            f'{name} is a network as its exporter wrote it', 'a compiled model',
            f'run: seg_ros compile {name} --card CARD.yaml -o MODEL.onnx',
        )
    texts = {item.key: item.value for item in model.metadata_props}
    try:
        card = card_from_dict(json.loads(texts[CARD]))
        signature = signature_from_dict(json.loads(texts[CONTRACT]))
        notes = tuple(json.loads(texts.get(NOTES, '[]')))
        parity = json.loads(texts.get(PARITY, '{}'))
    except (KeyError, TypeError, ValueError, CardError) as error:
        raise ModelError(
            f'{name} has metadata that this version cannot read ({error})',
            do='compile it again with this version',
        ) from error
    return CompiledModel(model, card, signature, sha256, notes, parity)
