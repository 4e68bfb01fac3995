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
"""Shows images and masks in Rerun, a viewer that does not need ROS."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from seg_ros.core.card import ModelCard
from seg_ros.core.errors import SettingError
from seg_ros.core.frame import Frame, Pixels
from seg_ros.core.segmentation import Segmentation

Views: TypeAlias = Mapping[str, Sequence[str]]

FILE_VIEWS: Views = {
    'classes': ('image', 'classes'), 'instances': ('image', 'instances', 'boxes'),
}
NODE_VIEWS: Views = {
    'overlay': ('overlay',), 'instances': ('color', 'instance'), 'points': ('points',),
}
COLOR_MODELS = {'rgb': 'RGB', 'bgr': 'BGR', 'gray': 'L'}
WEB_PORT = 9090
# The page needs `url` to find the images, which Rerun serves on another port.
WEB_PAGE = f'http://localhost:{WEB_PORT}/?url=rerun%2Bhttp://localhost:9876/proxy'


class RerunLog:
    """
    Sends images and masks to the viewer.

    :param rerun: the module `rerun`.
    """

    def __init__(self, rerun: Any) -> None:
        self._rerun = rerun
        self._ids: set[str] = set()

    def card(self, card: ModelCard) -> None:
        """Set names and colours of the classes; unlabelled pixels are transparent."""
        classes = [(item.id, item.name, item.color) for item in card.classes]
        context = self._rerun.AnnotationContext(
            [*classes, (card.unlabelled, 'unlabelled', (0, 0, 0, 0))]
        )
        for name in ('classes', 'boxes'):
            self._rerun.log(name, context, static=True)

    def masks(self, frame: Frame, masks: Segmentation, card: ModelCard) -> None:
        """Show an image and its masks."""
        rerun = self._rerun
        self.image('image', frame.pixels, COLOR_MODELS[frame.color])
        rerun.log('classes', rerun.SegmentationImage(masks.classes, opacity=0.5))
        if masks.instances is not None:
            self.ids('instances', masks.instances)
        rerun.log('boxes', rerun.Boxes2D(
            array=np.array([item.xyxy for item in masks.segments], float).reshape(-1, 4),
            array_format=rerun.Box2DFormat.XYXY,
            class_ids=[item.class_id for item in masks.segments],
            labels=[
                f'{card.by_id[item.class_id].name} {item.id} {item.score:.2f}'
                for item in masks.segments
            ],
        ))

    def at(self, number: int) -> None:
        """Assign everything that is logged next to an image number."""
        self._rerun.set_time('image', sequence=number)

    def at_stamp(self, stamp_ns: int) -> None:
        """Assign everything that is logged next to a stamp."""
        self._rerun.set_time('stamp', timestamp=np.datetime64(stamp_ns, 'ns'))

    def image(self, name: str, pixels: Pixels, model: str = 'RGB') -> None:
        """Show an image, uint8 (H, W, 3) or (H, W)."""
        self._rerun.log(name, self._rerun.Image(pixels, color_model=model))

    def ids(self, name: str, ids: NDArray[np.uint16]) -> None:
        """Show a map of ids, uint16 (H, W), with one colour for each id; 0 is transparent."""
        if name not in self._ids:       # Rerun would colour 0 like any other
            nothing = self._rerun.AnnotationContext([(0, 'none', (0, 0, 0, 0))])
            self._rerun.log(name, nothing, static=True)
            self._ids.add(name)
        self._rerun.log(name, self._rerun.SegmentationImage(ids, opacity=0.6))

    def points(self, name: str, xyz: NDArray[np.float32], rgb: Pixels) -> None:
        """Show points, float32 (N, 3) in metres, with colours, uint8 (N, 3)."""
        self._rerun.log(name, self._rerun.Points3D(xyz, colors=rgb, radii=0.003))


@contextmanager
def open_rerun(views: Views, save: Path | None, web: bool) -> Iterator[RerunLog]:
    """
    Open a viewer window, a web viewer or a file.

    :param views: layers of each view, the lowest first; `points` is a 3D view.
    :param save: `.rrd` file, which appears when everything is written.
    :param web: serve the viewer to browsers, for machines without a display.
    :raises SettingError: if Rerun is not installed, there is no display, or the file cannot be
        written.
    """
    rerun, part = _rerun(), save.with_name(f'.{save.name}.part') if save else None
    if not (save or web) and not {'DISPLAY', 'WAYLAND_DISPLAY'} & os.environ.keys():
        raise SettingError('no display', 'a window', '--web serves browsers, --save writes a file')
    if part:
        _make_file(part)
    rerun.init('seg_ros', spawn=not (save or web), default_blueprint=_layout(views))
    if part:
        rerun.save(part, default_blueprint=_layout(views))
    elif web:
        page = rerun.serve_grpc(default_blueprint=_layout(views))
        rerun.serve_web_viewer(web_port=WEB_PORT, open_browser=False, connect_to=page)
    try:
        yield RerunLog(rerun)
        rerun.disconnect()
        if part and save:
            part.replace(save)
    finally:
        if part:
            part.unlink(missing_ok=True)


def _make_file(path: Path) -> None:
    try:
        path.touch()
    except OSError as error:
        raise SettingError(
            f'{path.parent} cannot be written ({error.strerror})', 'a writable folder'
        ) from error


def _rerun() -> Any:
    try:
        rerun = import_module('rerun')
    except ImportError as error:
        raise SettingError(
            f'Rerun cannot be imported ({error})', do='pip install rerun-sdk'
        ) from error
    if not hasattr(rerun, 'SegmentationImage'):
        raise SettingError('another package named rerun', 'Rerun', 'pip install rerun-sdk')
    return rerun


def _layout(views: Views) -> Any:
    blueprint = import_module('rerun.blueprint')
    return blueprint.Blueprint(
        blueprint.Horizontal(*(
            (blueprint.Spatial3DView if name == 'points' else blueprint.Spatial2DView)(
                name=name, contents=[f'/{item}' for item in contents]
            )
            for name, contents in views.items()
        )),
        collapse_panels=True,
    )
