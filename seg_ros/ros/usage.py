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

"""The help text of `segmentation_node --help`."""

from dataclasses import Field, fields
from textwrap import fill
from typing import Any

from seg_ros.core.settings import Settings

HEAD = """\
usage: segmentation_node [--ros-args [-r camera/image_raw:=TOPIC] [-p NAME:=VALUE]...
                         [--params-file FILE]]

Publish masks of camera images. A lifecycle node that configures and activates itself.

parameters:
  autostart (true)
      Configure and activate once at the start; false leaves it to a lifecycle manager."""
FOOT = """\
example:
  segmentation_node --ros-args -r camera/image_raw:=/image_raw -p score_threshold:=0.4"""


def usage() -> str:
    """Return the help text: how to start the node, and every parameter."""
    return '\n'.join([HEAD, *map(_parameter, fields(Settings)), '', FOOT])


def _parameter(item: 'Field[Any]') -> str:
    facts = item.metadata
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    shown = str(default).lower() if isinstance(default, bool) else default
    values = ', '.join(map(str, facts['choices']))
    if facts['low'] is not None:
        values = f'{facts["low"]:g} to {facts["high"]:g} {facts["unit"]}'.strip()
    head = f'  {item.name} ({shown if shown != "" else "empty"})'
    indent = ' ' * 6
    meaning = fill(facts['meaning'], 96, initial_indent=indent, subsequent_indent=indent)
    return f'{head}{f": {values}" if values else ""}\n{meaning}'
