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

"""The settings as ROS parameters, declared and read through one dataclass."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, fields, replace
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from seg_ros.core.errors import SegError, SettingError
from seg_ros.core.settings import check_setting, KINDS, Settings
from seg_ros.core.shown import shown

FIELDS: dict[str, 'Field[Any]'] = {item.name: item for item in fields(Settings)}


def descriptor(item: 'Field[Any]') -> ParameterDescriptor:
    """Return the descriptor of a setting: meaning, choices and range."""
    facts = item.metadata
    described = ParameterDescriptor(
        description=facts['meaning'],
        additional_constraints=', '.join(map(str, facts['choices'])),
        # YAML may give an integer for a float, and an empty list has no type.
        dynamic_typing=True,
    )
    low, high = facts['low'], facts['high']
    if low is not None and isinstance(item.default, float):
        described.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif low is not None:
        described.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return described


def value_of(name: str, value: Any) -> Any:
    """
    Convert a parameter's value to the setting's type.

    :raises SettingError: if it has another type, is out of range or not one of the choices.
    """
    item = FIELDS[name]
    default = item.default
    if isinstance(default, tuple):
        value = _names(name, value, default)
    elif isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif isinstance(default, str):
        value = _word(value, item.metadata['choices'])
    if type(value) is not type(default):
        raise SettingError(f'{name}: {shown(value)}', KINDS[type(default)])
    check_setting(item, value)
    return value


def _word(value: Any, choices: Sequence[str]) -> Any:
    """Undo YAML's conversion of words without quotes: `off` to false, an id to a number."""
    if value is False and 'off' in choices:
        return 'off'
    return str(value) if type(value) is int else value


def _names(name: str, value: Any, default: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of names; a single word is a list of one."""
    if isinstance(value, str):
        return (value,)
    # An empty list has no type in ROS: it arrives as None or as an empty list of anything.
    if value is None:
        return default
    if not isinstance(value, Sequence | array):
        raise SettingError(f'{name}: {shown(value)}', KINDS[tuple])
    return tuple(value) or default


class Declared:
    """
    The parameters of one node.

    An invalid start value does not prevent the node from starting: `read` raises its error, so
    that configuring fails with that message and succeeds once the parameter is corrected.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._refused: dict[str, SettingError] = {}
        for item in fields(Settings):
            self._declare(item)

    def _declare(self, item: 'Field[Any]') -> None:
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        described = descriptor(item)
        try:
            self._node.declare_parameter(item.name, default, described)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            self._refused[item.name] = self._refusal(item.name, error)
            self._node.declare_parameter(item.name, default, described, ignore_override=True)

    def _refusal(self, name: str, error: Exception) -> SettingError:
        """Return the error of `value_of` for a start value that rclpy refuses."""
        try:
            self._node.declare_parameter(name, descriptor=ParameterDescriptor(dynamic_typing=True))
            value = self._node.get_parameter(name).value
            self._node.undeclare_parameter(name)
            value_of(name, value)
        except SettingError as refusal:
            return refusal
        except Exception:  # noqa: BLE001 - a value without a type: use rclpy's message
            pass
        return SettingError(f'{name}: {error}')

    def read(self) -> Settings:
        """
        Return the current parameters as settings.

        :raises SettingError: naming all invalid values.
        """
        values, flaws = {}, [*self._refused.values()]
        for name in FIELDS:
            try:
                values[name] = value_of(name, self._node.get_parameter(name).value)
            except SettingError as error:
                flaws.append(error)
        if flaws:
            raise SettingError('; and '.join(map(str, flaws)))
        return Settings(**values)

    def accepted(self, names: Iterable[str]) -> None:
        """Forget that the start values of these parameters were refused."""
        for name in names:
            self._refused.pop(name, None)


def settings_changed(
    settings: Settings, parameters: Iterable[Parameter], configured: bool
) -> tuple[Settings, Mapping[str, Any]]:
    """
    Apply a request to change parameters.

    :param configured: whether an engine is open.
    :returns: the new settings, and the changed values by name. Other parameters are ignored.
    :raises SettingError: if a parameter must not change now, or not to this value.
    """
    own = [parameter for parameter in parameters if parameter.name in FIELDS]
    for parameter in own:
        if parameter.type_ == Parameter.Type.NOT_SET:
            raise SettingError(f'{parameter.name} cannot be deleted', do='set it to another value')
    changes = {parameter.name: value_of(parameter.name, parameter.value) for parameter in own}
    changes = {name: value for name, value in changes.items() if value != getattr(settings, name)}
    for name in changes:
        if configured and FIELDS[name].metadata['when'] == 'unconfigured':
            raise SettingError(
                f'{name} cannot change while the node is configured', do='clean the node up first'
            )
    return replace(settings, **changes), changes


def is_live(name: str) -> bool:
    """Return whether a parameter is effective from the next frame, without configuring again."""
    return bool(FIELDS[name].metadata['when'] == 'live')


def reason(error: SegError) -> str:
    """Return an error as one line, for parameter clients."""
    return ' '.join(str(error).split())
