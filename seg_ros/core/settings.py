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

"""
All parameters, each with name, type, default, range and meaning.

ROS parameters, the documentation's table and the commands' `--help` are generated from them.
"""

from dataclasses import dataclass, Field, field, fields
import re
from typing import Any

from seg_ros.core.errors import SettingError
from seg_ros.core.plugins import ENGINES, plugin_names
from seg_ros.core.prompts import prompts_from_texts
from seg_ros.core.shown import shown
from seg_ros.core.signature import UpsampleMode

OWN_ENGINES = ('tensorrt', 'openvino', 'onnxruntime', 'classical')
LIVE, CONFIGURE, UNCONFIGURED = 'live', 'configure', 'unconfigured'
# Names of parameter types in messages.
KINDS: dict[type, str] = {
    bool: 'true or false', int: 'a whole number', float: 'a number', str: 'text',
    tuple: 'a list of names',
}


def _setting(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
    unit: str = '',
    when: str = CONFIGURE,
) -> Any:
    """
    Declare one parameter.

    :param when: when a change takes effect: `live` on the next frame (`model`: once it is loaded
        in the background), `configure` at the next configuration; `unconfigured` ones can only be
        changed in that state.
    """
    metadata = {
        'meaning': meaning, 'low': low, 'high': high, 'choices': choices, 'unit': unit,
        'when': when,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """
    The parameters of the node and the commands.

    :raises SettingError: if a value has the wrong type, is out of range or not a valid choice.
    """

    model: str = _setting(
        'default',
        'Compiled model: an absolute path, `~/…`, `package://PKG/PATH` or `default`. For the '
        'classical engine the method: otsu, adaptive, edges, watershed, kmeans or grabcut.',
        when=LIVE,
    )
    engine: str = _setting(
        'auto',
        'What runs the network; `auto` takes the first of TensorRT, OpenVINO and ONNX Runtime '
        'that is installed and fits the model.',
        choices=('auto', *OWN_ENGINES, *plugin_names(ENGINES)),
        when=UNCONFIGURED,
    )
    device: str = _setting(
        'auto',
        "Device, by the engine's name for it in any letter case: `CPU`, `GPU`, `GPU.1`, `cuda:0`.",
    )
    threads: int = _setting(
        0, 'CPU threads of the engine, at least one for each worker; 0 leaves the choice to it.',
        low=0, high=256,
    )
    inference_precision: str = _setting(
        'auto',
        'What CPU engines compute in: `auto` is their own choice (bf16 where the CPU has it).',
        choices=('auto', 'f32'),
    )
    workers: int = _setting(
        1, 'Frames worked on at a time: 1 for the lowest age, one for each core for the highest '
        'rate.',
        low=1, high=16,
    )
    max_batch: int = _setting(
        1, 'Maximum number of cameras in one call of the engine, where the model takes a batch.',
        low=1, high=64,
    )
    cameras: tuple[str, ...] = _setting(
        ('camera',), 'Names of the cameras, with which their topics begin.', when=UNCONFIGURED
    )
    image_transport: str = _setting(
        'raw', 'Transport of the images: Image, or CompressedImage on the topic + `/compressed`.',
        choices=('raw', 'compressed'),
    )
    brightness_range: str = _setting(
        'auto',
        'Values of 16-bit images that become black and white: `auto` finds the bit depth (8 to '
        '16) or the range of a thermal camera from the first frames, `full` is 0..65535, and '
        '`LOW..HIGH`, such as 0..4095, sets both and reads 16UC1 too.',
    )
    input_reliability: str = _setting(
        'auto',
        'Reliability asked of the image and depth topics; `auto` is reliable when every publisher '
        'offers it.',
        choices=('auto', 'best_effort', 'reliable'),
    )
    score_threshold: float = _setting(
        -1.0,
        "Minimum score of a detection; -1 takes the card's. It cannot be below the score floor "
        'that the model was compiled with.',
        low=-1.0, high=1.0, when=LIVE,
    )
    mask_threshold: float = _setting(
        -1.0,
        "Minimum probability of a mask's pixel; -1 takes the card's.",
        low=-1.0, high=1.0, when=LIVE,
    )
    min_confidence: float = _setting(
        0.0,
        'Pixels of a class less probable than this become unlabelled, and instances with a lower '
        'score are left out.',
        low=0.0, high=1.0, when=LIVE,
    )
    classes: tuple[str, ...] = _setting(
        ('',), 'Names of the classes to keep; one empty name keeps all.', when=LIVE
    )
    prompts: tuple[str, ...] = _setting(
        ('',),
        'What a promptable model segments in every image, in pixels: boxes `[NAME] X0 Y0 X1 Y1` '
        'or points `[NAME] X Y`, NAME being a class. Ids count from 1; one empty text is none.',
        when=LIVE,
    )
    upsample: UpsampleMode = _setting(
        'auto',
        'Where class scores are enlarged to the network size: in the graph, on the host along '
        'label edges, or nowhere (`nearest`).',
        choices=('auto', 'graph', 'edges', 'nearest'),
    )
    output_scale: float = _setting(
        1.0, 'Size of the published masks relative to the image.', choices=(1.0, 0.5, 0.25)
    )
    max_age_ms: float = _setting(
        0.0, 'Frames older than this are dropped before the network; 0 keeps all.',
        low=0.0, high=60000.0, unit='ms', when=LIVE,
    )
    max_rate_hz: float = _setting(
        0.0, 'Maximum rate of frames of each camera; 0 sets no limit.',
        low=0.0, high=1000.0, unit='Hz', when=LIVE,
    )
    tracking: bool = _setting(
        False, 'Keep the ids of instances from frame to frame.', when=LIVE
    )
    smoothing: float = _setting(
        0.0,
        'Weight of earlier frames in the class of a pixel, against flicker; 0 is off. Where '
        'something changes or the camera moves labels lag: at 0.5 by 1 frame, at 0.8 by 3.',
        low=0.0, high=0.95, when=LIVE,
    )
    watchdog_s: float = _setting(
        10.0,
        'How long a call of the engine or an output may take before diagnostics report an error; '
        'an engine that hangs gets no frames; 0 is off.',
        low=0.0, high=3600.0, unit='s', when=LIVE,
    )
    overlay_alpha: float = _setting(
        0.5, 'Opacity of the colours over the image.', low=0.0, high=1.0, when=LIVE
    )
    depth: str = _setting(
        'auto', '`auto` subscribes to registered depth while an output that needs it is read.',
        choices=('auto', 'off'), when=LIVE,
    )
    depth_tolerance_ms: float = _setting(
        50.0, 'Maximum difference of stamps between an image and its depth.',
        low=0.0, high=1000.0, unit='ms', when=LIVE,
    )
    max_depth_m: float = _setting(
        10.0, 'Depth beyond this counts as none.', low=0.1, high=65.0, unit='m', when=LIVE
    )
    cloud_stride: int = _setting(
        1, 'Every n-th pixel, in rows and columns, becomes a point of `points`, `nav2/*`, '
        '`obstacles/points` and `ground/points`; Nav2 is well served with 4.',
        low=1, high=16, when=LIVE,
    )
    edge_erosion_px: int = _setting(
        3, "Pixels along a mask's edge that are left out of its object's points; `scene/depth` "
        'leaves out as many around the target.',
        low=0, high=20, unit='px', when=LIVE,
    )
    static_hold_s: float = _setting(
        0.5, 'How long a place stays dynamic after something dynamic was last seen there.',
        low=0.0, high=10.0, unit='s', when=LIVE,
    )
    static_dilate_px: int = _setting(
        8, 'Pixels by which dynamic masks grow.', low=0, high=100, unit='px', when=LIVE
    )
    ground: str = _setting(
        'fit', 'Where the ground is: a plane fitted to traversable pixels, or z = 0 of '
        '`base_frame` by TF.',
        choices=('fit', 'tf'), when=LIVE,
    )
    base_frame: str = _setting(
        'base_link', 'Frame of `free_space`, whose z points up; where TF has it, objects stand on '
        'what is level in it. With `ground: tf` it lies on the floor.',
    )
    camera_height_m: float = _setting(
        0.0, 'Height of the camera above the ground, used where the fit finds none; 0 is unknown. '
        'Without TF the camera is taken to be level from side to side.',
        low=0.0, high=100.0, unit='m', when=LIVE,
    )
    camera_pitch_deg: float = _setting(
        0.0, 'How far the camera looks down, used without TF: the ground is looked for within 46 '
        'degrees of it.',
        low=-90.0, high=90.0, unit='deg', when=LIVE,
    )
    target: str = _setting(
        '', 'Object of `target/*` and `scene/depth`: a segment id, a class (its nearest object) '
        'or `nearest`; empty is none.',
        when=LIVE,
    )
    rectified: bool = _setting(
        False, 'The images are rectified already, so that camera_info is published without '
        'distortion.',
    )
    lazy: bool = _setting(True, 'Subscribe to a camera only while somebody reads its masks.')
    source_size: str = _setting(
        '',
        'With `upsample: graph`, the image size, such as `1280x720`, at which the graph computes '
        'labels: one that the model was compiled with. Images of other sizes are then refused. '
        'Empty: at the network size.',
    )
    workspace_mib: int = _setting(
        0, "Memory that TensorRT's builder may take; 0 leaves the choice to it.",
        low=0, high=1 << 16, unit='MiB',
    )
    optimization_level: int = _setting(
        -1, 'How long TensorRT searches for fast kernels, 0 to 5; -1 leaves the choice to it.',
        low=-1, high=5,
    )
    dla_core: int = _setting(
        -1, 'Deep-learning accelerator (DLA) of a Jetson to run on; -1 is the GPU.',
        low=-1, high=7,
    )
    hardware_compatibility: str = _setting(
        'none', 'Other GPUs that a TensorRT plan has to run on, at some cost in speed.',
        choices=('none', 'ampere_plus', 'same_compute_capability'),
    )
    cache_dir: str = _setting(
        '',
        "Folder of TensorRT's plans; empty is the user's cache folder. If set, networks that "
        'OpenVINO compiled are kept there too.',
        when=UNCONFIGURED,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            check_setting(item, getattr(self, item.name))
        if len(set(self.cameras)) != len(self.cameras) or not self.cameras:
            raise SettingError(f'cameras: {shown(list(self.cameras))}', 'different names')
        size = self.source_size
        if size and not re.fullmatch('[1-9][0-9]{0,4}x[1-9][0-9]{0,4}', size):
            raise SettingError(f'source_size: {shown(size)}', 'WIDTHxHEIGHT, as 1280x720')
        brightness_limits(self.brightness_range)
        prompts_from_texts(self.prompts)
        for name in self.cameras:
            if not re.fullmatch('[A-Za-z][A-Za-z0-9_]*', name):
                seen = f'cameras: {shown(name)}'
                raise SettingError(seen, 'a ROS name of letters, digits and _')
            if name == 'engine':
                raise SettingError(
                    f'cameras: {shown(name)}',
                    'another name: in /diagnostics this one stands for the engine itself',
                )

    @property
    def source_hw(self) -> tuple[int, int] | None:
        """Return `source_size` as height and width, or None if it is empty."""
        if not self.source_size:
            return None
        width, height = map(int, self.source_size.split('x'))
        return height, width


class LiveSettings:
    """
    Holder of the current settings.

    :param now: replaced as a whole when parameters are set; to be read again for each frame.
    """

    def __init__(self, now: Settings) -> None:
        self.now = now


def check_setting(item: 'Field[Any]', value: Any) -> None:
    """
    Check one value against its field's metadata and type.

    :raises SettingError: with the parameter, the value and what is allowed.
    """
    choices, low, high = (item.metadata[key] for key in ('choices', 'low', 'high'))
    seen = f'{item.name}: {shown(value)}'
    if choices and value not in choices:
        raise SettingError(seen, f'one of {", ".join(map(str, choices))}')
    kind = type(item.default)
    if type(value) is not kind and (kind, type(value)) != (float, int):
        raise SettingError(seen, KINDS[kind])
    if low is not None and not low <= value <= high:
        raise SettingError(seen, f'{low} to {high}')
    if kind is tuple and not all(isinstance(name, str) for name in value):
        raise SettingError(seen, KINDS[kind])


def brightness_limits(setting: str) -> tuple[int, int] | None:
    """
    Parse `brightness_range`: None for `auto`, otherwise the black and white levels.

    :raises SettingError: if it is not `auto`, `full` or two ascending numbers.
    """
    if setting in ('auto', 'full'):
        return (0, 65535) if setting == 'full' else None
    found = re.fullmatch(r'(\d{1,5})\.\.(\d{1,5})', setting, re.ASCII)
    low, high = map(int, found.groups()) if found else (0, 0)
    if not low < high <= 65535:
        raise SettingError(
            f'brightness_range: {shown(setting)}', 'auto, full, or LOW..HIGH such as 0..4095'
        )
    return low, high
