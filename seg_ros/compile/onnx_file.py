"""An ONNX file, read whole or refused with a reason."""

from hashlib import sha256
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
import onnx
from onnx.external_data_helper import load_external_data_for_model
from seg_ros.core.errors import ModelError


def read_onnx(path: Path) -> tuple[onnx.ModelProto, str]:
    """
    Read a model with all its weights.

    Weights that an exporter put into a file of their own are read from beside the model.

    :returns: the model, and the SHA-256 of the file as hexadecimal digits.
    :raises ModelError: if the file is missing, truncated or not ONNX, or if its weights are.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f'{path} cannot be read ({error.strerror})', 'an ONNX file') from error
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(
            f'{path.name} is truncated or no ONNX file', 'a whole ONNX file',
            'copy or export it again',
        ) from error
    if not model.graph.node or not model.graph.output:
        raise ModelError(f'{path.name} holds no graph', 'an ONNX file', 'export it again')
    try:
        load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(
            f'the weights of {path.name} lie in another file that cannot be read ({error})',
            do='put that file beside it, or export with the weights inside',
        ) from error
    return model, sha256(data).hexdigest()
