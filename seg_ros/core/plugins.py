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
Plug-ins of other packages, found by entry points.

======================  =====================================================================
group                   object of the entry point
======================  =====================================================================
``seg_ros.families``    a function like `compile.families.Family`: reads a network's outputs
``seg_ros.engines``     a function ``(path, settings) -> Engine`` that opens a compiled model
``seg_ros.outputs``     a tuple of `ros.publishers.Output`, one for each topic
======================  =====================================================================

The entry point's name is the name of the family or engine. Built-in ones cannot be replaced.
"""

from collections.abc import Iterable
from importlib.metadata import entry_points, EntryPoint
from typing import Any

from seg_ros.core.errors import PluginError

FAMILIES, ENGINES, OUTPUTS = 'seg_ros.families', 'seg_ros.engines', 'seg_ros.outputs'


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names of the installed plug-ins of a group, without importing them."""
    return tuple(sorted({item.name for item in entry_points(group=group)}))


def load_plugin(group: str, name: str) -> Any:
    """
    Import one plug-in.

    :raises PluginError: if there is none with this name, or its package is broken.
    """
    found = list(entry_points(group=group, name=name))
    if not found:
        known = ', '.join(plugin_names(group)) or 'none is installed'
        raise PluginError(f'no plug-in {name!r} in the group {group}', known)
    return _loaded(found[0])


def load_plugins(group: str, taken: Iterable[str] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
    """
    Import all plug-ins of a group.

    :param taken: names of built-in parts, which a plug-in must not use.
    :returns: the objects by name, and messages on the skipped ones.
    """
    loaded: dict[str, Any] = {}
    skipped = []
    for item in sorted(entry_points(group=group), key=lambda item: (item.name, item.value)):
        if item.name in {*taken, *loaded}:
            skipped.append(f'plug-in {item.name} ({item.value}) is skipped: the name is taken')
            continue
        try:
            loaded[item.name] = _loaded(item)
        except PluginError as error:
            skipped.append(str(error))
    return loaded, tuple(skipped)


def _loaded(item: EntryPoint) -> Any:
    """Import the object of an entry point; the import may raise anything."""
    try:
        return item.load()
    except Exception as error:
        raise PluginError(
            f'plug-in {item.name} ({item.value}) of the group {item.group} cannot be loaded '
            f'({type(error).__name__}: {error})',
            do='repair or uninstall its package',
        ) from error
