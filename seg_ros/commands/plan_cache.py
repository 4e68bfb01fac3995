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

"""Listing and pruning the cache of TensorRT plans."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from seg_ros.core.errors import EngineError
from seg_ros.core.progress import Report
from seg_ros.core.settings import Settings
from seg_ros.engines.cuda.gpu import find_gpu, gpu_count
from seg_ros.engines.tensorrt.cache_key import Machine, machine_of
from seg_ros.engines.tensorrt.flavour import load_flavour
from seg_ros.engines.tensorrt.plan_cache import Kept, PlanCache
from seg_ros.engines.tensorrt.plan_source import open_cache

MIB, HOUR_S, DAY_S = 1 << 20, 3600, 86400


def plan_figures(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a plan from its description."""
    recipe = facts['recipe']
    return {
        'model': facts['model'], 'precision': recipe['precision'],
        'max_batch': recipe['options']['max_batch'], 'build_s': facts['build_s'],
        'bytes': facts['plan_bytes'], 'notes': facts['notes'],
    }


def listed(settings: Settings, as_json: bool) -> dict[str, Any]:
    """Return the figures of all plans in the cache."""
    cache, machines = open_cache(settings), _machines()
    plans = [_kept_figures(plan) for plan in cache.kept(machines)]
    return _cache_figures(cache, machines) | {
        'plans': plans if as_json else [_line(plan) for plan in plans],
        'bytes': sum(plan['bytes'] for plan in plans),
    }


def pruned(settings: Settings, as_json: bool, report: Report) -> dict[str, Any]:
    """
    Remove unusable plans, after any running build has ended.

    :param report: called with the process that is waited for.
    """
    cache, machines = open_cache(settings), _machines()
    with cache.folder.locked('which prunes the cache', report):
        removed = cache.prune(machines)
    return _cache_figures(cache, machines) | {
        'removed': [
            vars(item) if as_json else f'{item.name}: {item.reason}' for item in removed
        ],
        'bytes': sum(item.size_bytes for item in removed),
    }


def _cache_figures(cache: PlanCache, machines: list[Machine]) -> dict[str, Any]:
    unknown = 'no TensorRT or no GPU here: plans of other machines count as fitting'
    return {
        'folder': str(cache.folder.path),
        'machines': [str(machine) for machine in machines] or [unknown],
    }


def _machines() -> list[Machine]:
    """Return this machine once per GPU; empty if it cannot run plans."""
    try:
        flavour = load_flavour()
        gpus = [find_gpu(f'cuda:{index}') for index in range(gpu_count())]
    except EngineError:
        return []
    return [machine_of(flavour, gpu) for gpu in gpus]


def _kept_figures(plan: Kept) -> dict[str, Any]:
    known = {'key': plan.key, 'bytes': plan.size_bytes, 'fits': not plan.flaw, 'flaw': plan.flaw}
    if not plan.facts:
        return known
    age = datetime.now(timezone.utc) - datetime.fromisoformat(plan.facts['built'])
    return {**plan_figures(plan.facts), **known, 'age_s': round(age.total_seconds())}


def _line(plan: dict[str, Any]) -> str:
    if 'model' not in plan:
        return f'{plan["key"]}: {plan["bytes"] / MIB:.1f} MiB, {plan["flaw"]}'
    days, seconds = divmod(plan['age_s'], DAY_S)
    age = f'{days} days' if days > 1 else f'{plan["age_s"] // HOUR_S} h {seconds // 60 % 60} min'
    return (
        f'{plan["model"]}, {plan["precision"]}, batch {plan["max_batch"]}: '
        f'{plan["bytes"] / MIB:.1f} MiB, {age} old, {plan["flaw"] or "fits this machine"}'
    )
