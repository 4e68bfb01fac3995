"""Topics that other packages add."""

from collections.abc import Iterable, Sequence

from seg_ros.core.plugins import load_plugins, OUTPUTS
from seg_ros.ros.publishers import Output


def plugin_outputs(own: Sequence[Output]) -> tuple[tuple[Output, ...], tuple[str, ...]]:
    """
    Load the outputs of all plug-ins.

    :param own: whose topics stay as they are.
    :returns: the outputs, and why any plug-in is skipped.
    """
    loaded, skipped = load_plugins(OUTPUTS)
    added: list[Output] = []
    reasons = list(skipped)
    for name, rows in loaded.items():
        reason = _obstacle(rows, {output.topic for output in (*own, *added)})
        if reason:
            reasons.append(f'plug-in {name} of the group {OUTPUTS} is skipped: {reason}')
        else:
            added += rows
    return tuple(added), tuple(reasons)


def _obstacle(rows: object, taken: set[str]) -> str:
    if not isinstance(rows, Iterable) or not all(isinstance(row, Output) for row in rows):
        return f'it names {rows!r} instead of a tuple of Output'
    double = [row.topic for row in rows if row.topic in taken]
    return f'the topics {", ".join(double)} exist already' if double else ''
