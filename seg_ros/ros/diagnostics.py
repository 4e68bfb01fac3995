"""How the node is doing, in numbers, once a second."""

from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.time import Time
from seg_ros.core.settings import Settings
from seg_ros.core.timing import Timing
from seg_ros.pipeline.health import memory_mib, temperature_c
from seg_ros.pipeline.segmenter import Segmenter
from seg_ros.ros.camera import Camera

SLOW_SHARE = 0.8
JUDGED_S = 2.5      # of camera_infos, before which a camera may still be starting
DROPS = ('newer', 'age', 'rate', 'bad', 'failed', 'late', 'unread')


def images_lost(camera: Camera) -> str:
    """
    Say so when far fewer images than camera_infos arrive: large messages are lost on the way.

    The cure is the shared-memory profile of Fast DDS, loaded by the camera driver's process.
    """
    images_hz, infos_hz = camera.timing.rate_hz('input'), camera.timing.rate_hz('info')
    if not camera.subscribed or camera.timing.heard_s('info') < JUDGED_S:
        return ''
    if infos_hz < 1 or images_hz >= SLOW_SHARE * infos_hz:
        return ''
    return (
        f'{camera.image_topic} arrives at {images_hz:.1f} Hz, its camera_info at '
        f'{infos_hz:.1f} Hz: images are lost in transport. Start the camera driver with '
        'FASTRTPS_DEFAULT_PROFILES_FILE set to share/seg_ros/config/fastdds.xml'
    )


def too_old(camera: Camera) -> str:
    """Say so when masks come out older than `max_age_ms`, the wait for the network included."""
    quantiles, limit_ms = camera.timing.quantiles('age'), camera.age_limit_ms
    if not limit_ms or quantiles is None or quantiles[1] <= limit_ms:
        return ''
    return f'masks are {quantiles[1]:.0f} ms old (99 %), max_age_ms is {limit_ms:.0f}'


def diagnostics(
    now: Time, name: str, state: str, segmenter: Segmenter, cameras: Iterable[Camera],
    models: tuple[str, str], build: str = '',
) -> DiagnosticArray:
    """
    Put everything into one message.

    :param name: of the node.
    :param state: of the lifecycle.
    :param models: the model that serves and the one being loaded, or an empty name.
    :param build: how far TensorRT's build is, in words.
    """
    message = DiagnosticArray()
    message.header.stamp = now.to_msg()
    message.status = [_engine_status(name, state, segmenter, models, build)]
    message.status += [_camera_status(name, state, camera, segmenter) for camera in cameras]
    return message


def build_diagnostics(now: Time, name: str, settings: Settings, build: str) -> DiagnosticArray:
    """Tell of a build that configuring waits for, while no engine is open."""
    message = DiagnosticArray()
    message.header.stamp = now.to_msg()
    values = {'state': 'configuring', 'model_pending': settings.model, 'build': build}
    message.status = [_status(
        f'{name}: engine', settings.device, build, DiagnosticStatus.WARN, values
    )]
    return message


def _engine_status(
    name: str, state: str, segmenter: Segmenter, models: tuple[str, str], build: str
) -> DiagnosticStatus:
    facts, timing = segmenter.engine.facts, segmenter.timing
    faults = timing.counts().get('fault', 0)
    values = {
        'state': state,
        'model': segmenter.card.name,
        'model_active': models[0],
        'model_pending': models[1],
        'build': build,
        'engine': f'{facts.engine} {facts.version}',
        'device': facts.device,
        'precision': facts.precision,
        'threads': str(facts.threads),
        'upsample': facts.upsample,
        'faults': str(faults),
        'notes': '; '.join(facts.notes),
    }
    for key, figure in (('memory_mib', memory_mib()), ('temperature_c', temperature_c())):
        if figure is not None:
            values[key] = f'{figure:.1f}'
    for stage in timing.stages():
        values |= _quantiles(stage, timing)
    words, level = state, DiagnosticStatus.OK
    if facts.ended or faults:
        words, level = facts.ended or 'faults', DiagnosticStatus.ERROR
    return _status(f'{name}: engine', facts.device, words, level, values)


def _camera_status(
    name: str, state: str, camera: Camera, segmenter: Segmenter
) -> DiagnosticStatus:
    counts = camera.timing.counts()
    values = {
        'image_topic': camera.image_topic,
        'input_hz': f'{camera.timing.rate_hz("input"):.2f}',
        'output_hz': f'{camera.timing.rate_hz("output"):.2f}',
        'foreign_clock': str(counts.get('foreign clock', 0)),
        **{f'dropped_{cause}': str(counts.get(cause, 0)) for cause in DROPS},
        **_quantiles('age', camera.timing),
    }
    level, words = DiagnosticStatus.OK, state
    lost = images_lost(camera)
    if not camera.subscribed and state == 'active':
        words = 'nobody reads its masks'
    elif camera.subscribed and not camera.timing.rate_hz('input'):
        level, words = DiagnosticStatus.WARN, 'no images arrive'
    elif lost:
        level, words = DiagnosticStatus.WARN, lost
    elif old := too_old(camera):
        level, words = DiagnosticStatus.WARN, old
    level, words = camera.alarm.settle(level, words)
    return _status(f'{name}: {camera.name}', segmenter.card.name, words, level, values)


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
    name: str, hardware: str, words: str, level: bytes, values: dict[str, str]
) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(
        level=level, name=name, message=words, hardware_id=hardware, values=pairs
    )
