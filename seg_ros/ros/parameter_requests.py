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

"""Requests to set parameters: check them, apply them, and answer when their values act."""

from collections.abc import Callable, Iterable
import traceback
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.parameter import Parameter
from seg_ros.core.errors import SegError
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.core.shown import did_you_mean, shown
from seg_ros.pipeline.model_manager import ModelManager
from seg_ros.ros.deferred_changes import deferred_changes
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.parameters import Declared, reason, settings_changed


class ParameterRequests:
    """
    The requests to set parameters of one node.

    rclpy drops the reason that a callback gives for an accepted value. So `answered` wraps rclpy's
    `set_parameters_atomically`, which both parameter services call, and adds it to the result.

    :param models: returns the node's models; None while it is not configured.
    :param apply: called in the thread that spins, once parameters have been set, with all of them
        as settings and whether `model` was among those that were set.
    """

    def __init__(
        self,
        node: SafeLifecycleNode,
        declared: Declared,
        settings: LiveSettings,
        models: Callable[[], ModelManager | None],
        apply: Callable[[Settings, bool], object],
    ) -> None:
        self._node = node
        self._declared = declared
        self._settings = settings
        self._models = models
        self._apply = apply
        self._model_named = False       # whether `model` was set since the last `_apply_all`
        # Why values are not effective at once, by parameter: from `_check`, which rclpy calls, to
        # `answered`.
        self._deferrals: dict[str, str] = {}
        self._set = node.create_guard_condition(node.guarded(self._apply_all))
        node.add_on_set_parameters_callback(self._check)
        if hasattr(node, 'add_post_set_parameters_callback'):       # from Iron on
            node.add_post_set_parameters_callback(node.guarded(self._apply_all))

    def answered(
        self,
        set_parameters: Callable[[list[Parameter]], SetParametersResult],
        parameters: list[Parameter],
    ) -> SetParametersResult:
        """
        Set parameters, and complete the reason in rclpy's result.

        :param set_parameters: rclpy's `set_parameters_atomically`.
        :returns: the result; the reason of an accepted request says which values act later.
        """
        names = [parameter.name for parameter in parameters]
        try:
            result = set_parameters(parameters)
        except ParameterNotDeclaredException as error:
            result = SetParametersResult(successful=False, reason=str(error))
        if result.successful:
            later = dict.fromkeys(self._deferrals.pop(name, '') for name in names)
            result.reason = result.reason or '; '.join(filter(None, later))
        else:
            result.reason = self._why_refused(names) or result.reason
        return result

    def _why_refused(self, names: Iterable[str]) -> str:
        """Return why a parameter can never be set, whatever its value; empty where all can be."""
        why = ''
        for name in names:
            if not self._node.has_parameter(name):
                meant = did_you_mean(name, self._node.get_parameters_by_prefix(''))
                why = '; '.join(filter(None, (f'this node has no parameter {shown(name)}', meant)))
            elif self._node.describe_parameter(name).read_only:
                why = f'{name} is read only at the start; restart the node with another value'
        return why

    def _check(self, parameters: Iterable[Parameter]) -> SetParametersResult:
        """Check a request before rclpy sets any of its parameters."""
        try:
            parameters = list(parameters)
            models = self._models()
            settings, changes = settings_changed(
                self._settings.now, parameters, models is not None
            )
            later = deferred_changes(settings, changes, models)
        except SegError as error:
            return SetParametersResult(successful=False, reason=reason(error))
        except Exception as error:  # noqa: BLE001 - a bad request must not end the node
            self._node.fault('a request to set parameters', error)
            return SetParametersResult(successful=False, reason=traceback.format_exc(limit=0))
        names = [parameter.name for parameter in parameters]
        serves = models is not None and models.state.active == settings.model
        if 'model' in names and 'model' not in changes and serves:
            later = f'{settings.model} serves; to read its file anew set another model first'
        self._declared.accepted(names)
        self._deferrals |= dict.fromkeys(names, later)
        self._model_named |= 'model' in names
        self._set.trigger()
        return SetParametersResult(successful=True, reason=later)

    def _apply_all(self, *_: Any) -> None:
        """
        Apply the parameters that are set now.

        Called right after they are set where rclpy has a callback for that, and by the guard
        condition soon after it anyway: `apply` must do nothing the second time.
        """
        try:
            settings = self._declared.read()
        except SegError:    # reported by the next configure
            return
        model_named, self._model_named = self._model_named, False
        self._apply(settings, model_named)
