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

"""Options of TensorRT's builder, as plain values that can be sent to the build process."""

from collections.abc import Sequence
from dataclasses import dataclass

from seg_ros.core.errors import SettingError
from seg_ros.core.settings import Settings
from seg_ros.core.signature import ModelSignature
from seg_ros.engines.tensorrt.flavour import Flavour, RTX


@dataclass(frozen=True)
class BuildOptions:
    """
    Options of TensorRT's builder.

    :param flavour: name of the TensorRT module to build with.
    :param max_batch: largest batch of the optimization profile; a fixed batch has no profile.
    :param workspace_mib: 0 leaves the choice to TensorRT.
    :param optimization_level: -1 leaves the choice to TensorRT.
    :param dla_core: deep-learning accelerator (DLA) to build for; -1 is the GPU.
    :param hardware_compatibility: as in `Settings`.
    :param compute_capabilities: targets of TensorRT-RTX, e.g. `SM89`; otherwise empty.
    """

    flavour: str
    max_batch: int = 1
    workspace_mib: int = 0
    optimization_level: int = -1
    dla_core: int = -1
    hardware_compatibility: str = 'none'
    compute_capabilities: tuple[str, ...] = ()


def options_from_settings(
    settings: Settings,
    signature: ModelSignature,
    flavour: Flavour,
    compute_capabilities: Sequence[str],
) -> BuildOptions:
    """
    Choose the builder's options for a model.

    :param compute_capabilities: of the target GPUs, e.g. `8.9`.
    :raises SettingError: if this TensorRT or this model does not support the settings.
    """
    on_rtx, on_dla = flavour.name == RTX, settings.dla_core >= 0
    if on_rtx and on_dla:
        raise SettingError(f'dla_core: {settings.dla_core} with TensorRT-RTX', '-1')
    if on_rtx and settings.hardware_compatibility != 'none':
        raise SettingError(
            f'hardware_compatibility: {settings.hardware_compatibility} with TensorRT-RTX',
            'none', 'name the GPUs instead: seg_ros build MODEL --for sm86,sm89 -o FILE',
        )
    if on_dla and signature.precision != 'fp16':
        raise SettingError(
            f'dla_core: {settings.dla_core} with a model in {signature.precision}', 'one in fp16',
            'compile it with --precision fp16',
        )
    if not flavour.typed and signature.precision != 'fp32':
        raise SettingError(
            f'a model in {signature.precision} with TensorRT {flavour.version}', 'one in fp32',
            'compile it without --precision, update TensorRT, or set engine: onnxruntime',
        )
    single = on_dla or not flavour.typed
    max_batch = 1 if single else min(
        settings.max_batch, signature.max_batch or settings.max_batch
    )
    names = tuple(f'SM{item.replace(".", "")}' for item in compute_capabilities)
    return BuildOptions(
        flavour.name, max_batch, settings.workspace_mib, settings.optimization_level,
        settings.dla_core, settings.hardware_compatibility, names if on_rtx else (),
    )
