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

"""The node's interface to its model: the log, `label_info` and the parameters."""

from dataclasses import replace

from rclpy.parameter import Parameter
from seg_ros.core.errors import SegError
from seg_ros.core.settings import LiveSettings, Settings
from seg_ros.image.jpeg_decoding import strict_decoder
from seg_ros.pipeline.model_manager import ModelManager
from seg_ros.pipeline.serving_model import MODEL_BOUND, ServingModel
from seg_ros.ros.label_publishers import LabelPublishers
from seg_ros.ros.lifecycle import SafeLifecycleNode
from seg_ros.ros.parameters import is_live


class ModelInterface:
    """
    Applies settings to the model that serves, and announces each new one.

    It exists while the node is configured; all methods run in the thread that spins.

    :param settings: the current settings, which `apply` replaces.
    """

    def __init__(
        self, node: SafeLifecycleNode, settings: LiveSettings, models: ModelManager
    ) -> None:
        self._node = node
        self._settings = settings
        self._models = models
        self._labels = LabelPublishers(node)
        self._announced: ServingModel | None = None

    def close(self) -> None:
        """Close the `label_info` topics."""
        self._labels.close()

    def apply(self, wanted: Settings, model_named: bool) -> None:
        """
        Apply the live settings, and load the model if it is another one.

        :param model_named: whether `model` was set, changed or not.
        """
        before, serving = self._settings.now, self._models.holder.current
        live = {name: value for name, value in vars(wanted).items() if is_live(name)}
        self._settings.now = now = replace(before, **live)
        if self._models.wants(now.model, model_named):
            self._models.load(now)
        elif now != before and serving is not None:
            self._change_thresholds(serving)
            if now.min_confidence != before.min_confidence:
                self._announce_labels(serving)

    def on_change(self) -> None:
        """React to a model that has been loaded or has failed to load."""
        serving = self._models.holder.current
        if serving is not None and serving is not self._announced:
            self._announce(serving)
        elif serving is not None:     # thresholds may have been set meanwhile
            self._change_thresholds(serving)
        failure = self._models.take_failure()
        if failure is None:
            return
        instead = f'{failure.active} serves' if failure.active else self._models.holder.reason
        self._node.get_logger().error(f'{failure.failed} not loaded, {instead}: {failure.reason}')
        if failure.error and not isinstance(failure.error, SegError):
            self._node.fault('a model was not loaded', failure.error)
        if failure.active:
            self._node.set_parameters([Parameter('model', value=failure.active)])

    def _announce(self, serving: ServingModel) -> None:
        """Log a model that has begun to serve, and apply the present thresholds to it."""
        self._announced = serving
        facts, log = serving.engine.facts, self._node.get_logger()
        log.info(
            f'{serving.card.name} on {facts.engine} {facts.version}, {facts.device}, '
            f'{facts.precision}, {facts.threads} threads, upsample {facts.upsample}'
        )
        for note in filter(None, (*facts.notes, strict_decoder()[1])):
            log.warning(note)
        self._change_thresholds(serving)
        self._announce_labels(serving)

    def _announce_labels(self, serving: ServingModel) -> None:
        """Publish each camera's latched label_info."""
        threshold = serving.settings.min_confidence
        self._labels.publish(serving.card, self._settings.now.cameras, threshold)

    def _change_thresholds(self, serving: ServingModel) -> None:
        """Apply the present thresholds, which may have been set for another model."""
        try:
            serving.change(self._settings.now)
        except SegError as unsuited:
            if self._models.state.loads_another:
                return      # the thresholds are meant for the model that is being loaded
            self._node.get_logger().error(
                f'{serving.card.name} keeps the thresholds it has: {unsuited}'
            )
            kept = {name: getattr(serving.settings, name) for name in MODEL_BOUND}
            self._node.set_parameters_atomically([
                Parameter(name, value=list(value) if isinstance(value, tuple) else value)
                for name, value in kept.items() if value != getattr(self._settings.now, name)
            ])
