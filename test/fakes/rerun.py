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

"""Rerun, as far as seg_ros calls it: another name or option than these is an error."""

from pathlib import Path
from types import ModuleType, SimpleNamespace

# What makes something to show, and the options that it takes.
SHOWN = {
    'AnnotationContext': set(), 'SegmentationImage': {'opacity'}, 'Image': {'color_model'},
    'Boxes2D': {'array', 'array_format', 'class_ids', 'labels'}, 'Points3D': {'colors', 'radii'},
}
LAID_OUT = {
    'Blueprint': {'collapse_panels'}, 'Horizontal': set(),
    'Spatial2DView': {'name', 'contents'}, 'Spatial3DView': {'name', 'contents'},
}


def _maker(name, allowed):
    def make(*arguments, **options):
        assert options.keys() <= allowed, f'{name} takes no {options.keys() - allowed}'
        return name, arguments, options

    return make


class FakeBlueprint(ModuleType):
    """Keeps how views are laid out."""

    def __init__(self):
        super().__init__('rerun.blueprint')
        vars(self).update({name: _maker(name, allowed) for name, allowed in LAID_OUT.items()})


class FakeRerun(ModuleType):
    """Keeps what is logged, by name, as the arguments that it was made of, and for which time."""

    Box2DFormat = SimpleNamespace(XYXY='xyxy')

    def __init__(self):
        super().__init__('rerun')
        vars(self).update({name: _maker(name, allowed) for name, allowed in SHOWN.items()})
        self.logged, self.times = [], []
        self.spawned = self.served = self.page = self.path = self.layout = None

    def init(self, application_id, *, spawn, default_blueprint):
        self.spawned, self.layout = spawn, default_blueprint

    def save(self, path, *, default_blueprint):
        self.path = Path(path)
        self.path.write_bytes(b'begun')

    def serve_grpc(self, *, default_blueprint):
        self.served = 'rerun+http://localhost:9876/proxy'
        return self.served

    def serve_web_viewer(self, *, web_port, open_browser, connect_to):
        self.page = web_port, open_browser, connect_to

    def disconnect(self):
        if self.path:
            self.path.write_bytes(b'recording')

    def set_time(self, timeline, *, sequence=None, timestamp=None):
        self.times.append((timeline, timestamp if sequence is None else sequence))

    def log(self, entity_path, entity, *, static=False):
        self.logged.append((entity_path, *entity))

    def of(self, name):
        """Return arguments and options of what was logged under a name."""
        return [(what, options) for each, _, what, options in self.logged if each == name]
