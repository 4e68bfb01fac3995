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

"""The node's diagnostics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.time import Time
from seg_ros.core.timing import RATE_SPAN_S, Timing
from seg_ros.pipeline.camera_health import CAUSES, Level, Verdict
from seg_ros.pipeline.model_states import ModelState
from seg_ros.pipeline.process_memory import memory_mib, temperature_c
from seg_ros.pipeline.serving_model import ServingModel
from seg_ros.ros.camera import Camera
from seg_ros.ros.depth_advice import nothing_dynamic, poor_odometry


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """
    The state of the node that diagnostics report.

    :param name: the node's fully qualified name.
    :param state: lifecycle state.
    :param enabled: the last request to `~/enable`.
    :param model: see `ModelState`.
    :param serving: the model that serves, or None.
    :param unserved: why no model serves; empty while one does, or before the node is configured.
    :param build: progress of a TensorRT build, as text.
    :param stalled_s: how long the engine has not answered; 0 while it does.
    :param overdue: which output does not end, as text; empty if none.
    :param faults: number of unexpected exceptions since the start.
    :param faulty: whether one of them was raised recently.
    :param clock_problem: what is wrong with simulated time, as text; empty if nothing is.
    """

    name: str
    state: str
    enabled: bool
    model: ModelState
    serving: ServingModel | None
    unserved: str = ''
    build: str = ''
    stalled_s: float = 0.0
    overdue: str = ''
    faults: int = 0
    faulty: bool = False
    clock_problem: str = ''


def diagnostics(
    now: Time, facts: NodeFacts, cameras: Iterable[tuple[Camera, str]]
) -> DiagnosticArray:
    """
    Return the diagnostics: a status for the engine, and one for each camera.

    :param cameras: each camera with its `input_problem`.
    """
    message = DiagnosticArray()
    message.header.stamp = now.to_msg()
    message.status = [_engine_status(facts)]
    message.status += [_camera_status(camera, facts, problem) for camera, problem in cameras]
    return message


def _engine_status(facts: NodeFacts) -> DiagnosticStatus:
    model = facts.model
    values = {
        'state': facts.state,
        'model_status': model.status,
        'model_active': model.active,
        'model_pending': model.pending,
        'model_failed': f'{model.failed}: {model.reason}' if model.failed else '',
        'build': facts.build,
        'faults': str(facts.faults),
    }
    device = ''
    if facts.serving is not None:
        device = facts.serving.engine.facts.device
        values |= _engine_values(facts.serving)
    for key, figure in (('memory_mib', memory_mib()), ('temperature_c', temperature_c())):
        if figure is not None:
            values[key] = f'{figure:.1f}'
    return _status(f'{facts.name}: engine', device, _engine_verdict(facts), values)


def _engine_values(serving: ServingModel) -> dict[str, str]:
    facts, timing = serving.engine.facts, serving.timing
    values = {
        'model': serving.card.name,
        'engine': f'{facts.engine} {facts.version}',
        'device': facts.device,
        'precision': facts.precision,
        'threads': str(facts.threads),
        'upsample': facts.upsample,
        'notes': '; '.join(facts.notes),
    }
    for stage in timing.stages():
        values |= _quantiles(stage, timing)
    return values


def _engine_verdict(facts: NodeFacts) -> Verdict:
    """Judge the engine, and what all cameras share: faults, and outputs that do not end."""
    serving, model = facts.serving, facts.model
    if facts.stalled_s:
        return Verdict(Level.ERROR, f'the engine has not answered for {facts.stalled_s:.0f} s')
    if serving is None:
        if model.status == 'loading':
            return Verdict(Level.WARN, facts.build or f'loading {model.pending}')
        return Verdict(Level.ERROR if facts.unserved else Level.OK, facts.unserved or facts.state)
    if serving.engine.facts.ended:
        return Verdict(Level.ERROR, serving.engine.facts.ended)
    if facts.overdue:
        return Verdict(Level.ERROR, facts.overdue)
    if facts.faulty:
        return Verdict(Level.ERROR, 'faults in seg_ros: see the log')
    if model.status == 'failed':
        return Verdict(Level.WARN, f'{model.failed} could not be loaded: {model.reason}')
    return Verdict(Level.OK, facts.state)


def _camera_status(camera: Camera, facts: NodeFacts, problem: str) -> DiagnosticStatus:
    timing = camera.health.timing
    counts, last_s = timing.counts(), timing.since_s('output')
    values = {
        'image_topic': camera.image_topic,
        'camera_info_topic': camera.info_topic,
        'camera_info_problem': camera.why_no_info(),
        'input_hz': f'{timing.rate_hz("input"):.2f}',
        'output_hz': f'{timing.rate_hz("output"):.2f}',
        'last_mask_s': 'n/a' if last_s is None else f'{last_s:.1f}',
        'foreign_clock': f'{camera.clock.offset_ns / 1e9:.1f} s' if camera.clock.foreign else '0',
        **{f'dropped_{cause}': str(counts.get(cause, 0)) for cause in CAUSES},
        **_quantiles('age', timing),
        'deferred_dropped_newer': str(camera.deferred_replaced),
        **camera.depth.values(),
        'dynamic_share': f'{camera.dynamic.share:.2f}',
        **camera.prompts.values(),
    }
    verdict = camera.hysteresis.update(_camera_verdict(camera, facts, problem))
    return _status(f'{facts.name}: {camera.name}', camera.image_topic, verdict, values)


def _camera_verdict(camera: Camera, facts: NodeFacts, problem: str) -> Verdict:
    """Judge a camera by its published masks; one without subscribers, or paused, is OK."""
    if facts.state != 'active':
        return Verdict(Level.OK, facts.state)
    if not facts.enabled:
        return Verdict(Level.OK, 'paused by ~/enable')
    if camera.open_error:
        return Verdict(Level.ERROR, camera.open_error)
    if not camera.subscribed:
        level = Level.WARN if problem else Level.OK
        return Verdict(level, problem or 'its masks have no subscriber')
    if facts.stalled_s:
        return Verdict(Level.ERROR, f'the engine has not answered for {facts.stalled_s:.0f} s')
    if facts.serving is None:
        return Verdict(Level.ERROR, f'no masks: {facts.unserved}')
    if camera.health.timing.silent('input'):
        return Verdict(Level.WARN, problem or f'no images arrive on {camera.image_topic}')
    judged = camera.health.verdict()
    if judged.level != Level.OK:
        return judged
    if words := problem or _warning(camera, facts.serving):
        return Verdict(Level.WARN, words)
    return Verdict(Level.OK, facts.state)


def _warning(camera: Camera, serving: ServingModel) -> str:
    """Return a warning for a camera whose masks are published; empty if all is well."""
    return (
        too_old(camera)
        or camera.prompts.problem(serving)
        or camera.depth.problem()
        or poor_odometry(camera.dynamic.share)
        or (nothing_dynamic(serving.card) if camera.dynamic.wanted else '')
    )


def input_problem(camera: Camera, facts: NodeFacts) -> str:
    """
    Return what is wrong with a camera's topics; empty if all is well. It queries the ROS graph.

    If images arrive, simulated time is checked first, since their stamps come from it.
    """
    arrives = camera.subscribed and not camera.health.timing.silent('input')
    return (facts.clock_problem if arrives else '') or camera.problem()


def too_old(camera: Camera) -> str:
    """Warn of masks that are older than `max_age_ms` when published."""
    quantiles = camera.health.timing.quantiles('age', RATE_SPAN_S)
    limit_ms = camera.settings.max_age_ms
    if not limit_ms or quantiles is None or quantiles[1] <= limit_ms:
        return ''
    return f'masks are {quantiles[1]:.0f} ms old (99 %), max_age_ms is {limit_ms:.0f}'


def _quantiles(stage: str, timing: Timing) -> dict[str, str]:
    quantiles = timing.quantiles(stage)
    if quantiles is None:
        return {}
    median, tail, most = quantiles
    return {
        f'{stage}_ms_median': f'{median:.2f}',
        f'{stage}_ms_p99': f'{tail:.2f}',
        f'{stage}_ms_max': f'{most:.2f}',
    }


def _status(
    name: str, hardware: str, verdict: Verdict, values: Mapping[str, str]
) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=bytes([verdict.level]), name=name, message=verdict.message, hardware_id=hardware,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
