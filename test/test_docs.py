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

"""The README and the pages of docs/ say what the code does."""

import argparse
import ast
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
import json
from pathlib import Path
import re

import pytest
from seg_ros.cli import COMMANDS
from seg_ros.core.card import CardThresholds, ClassInfo, InputSpec, ModelCard
from seg_ros.core.card_reading import card_from_dict
from seg_ros.docs.layers import arrows_from_source, rows_of, svg, without_detours
from seg_ros.docs.parameters import EVERY, MOST_USED, with_table
import yaml

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / 'README.md'
PAGES = [README, *sorted((ROOT / 'docs').rglob('*.md'))]
FENCE = re.compile(r'^```(\w+)?[^\n]*\n(.*?)^```$', re.MULTILINE | re.DOTALL)

CALL = re.compile(r'(?:^ *|`)(?:\$ )?seg_ros ([a-z]+)([^`\n]*)', re.MULTILINE)


def read(page: Path) -> str:
    return page.read_text(encoding='utf-8')


def without_code(text: str) -> str:
    return re.sub(r'`[^`\n]+`', '', FENCE.sub('', text))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Python-Markdown and GitHub make them."""
    headings = re.findall(r'^#+ (.+)$', FENCE.sub('', read(page)), re.MULTILINE)
    words = (re.sub(r'[^\w\- ]', '', heading).strip().lower() for heading in headings)
    return {re.sub(r'[\s]+', '-', word) for word in words}


def links_of(page: Path) -> Iterator[tuple[Path, str]]:
    """Give the file and the anchor of each link that leads to no other site."""
    for link in re.findall(r'\]\((?!https?:|mailto:)([^)\s]+)\)', without_code(read(page))):
        name, _, anchor = link.partition('#')
        yield (page.parent / name if name else page), anchor


@pytest.mark.parametrize(('page', 'names'), [
    ('README.md', MOST_USED), ('docs/parameters.md', EVERY),
])
def test_a_table_of_parameters_is_the_one_made_from_the_settings(page, names):
    text = read(ROOT / page)
    assert with_table(text, names) == text, 'run `make docs`'


@pytest.mark.parametrize(
    'page', [*PAGES, ROOT / 'CONTRIBUTING.md'], ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target, anchor in links_of(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors_of(target), f'{target}#{anchor}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_can_be_read_by_what_they_are_for(page):
    readers = {
        'python': lambda text: compile(text, page.name, 'exec'), 'yaml': yaml.safe_load,
        'json': json.loads,
    }
    for language, text in FENCE.findall(read(page)):
        if language in readers:
            readers[language](text)


def referenced_names() -> Iterator[tuple[Path, str]]:
    """Give the modules, or names in them, that docstrings and comments name by their layer."""
    layers = '|'.join(folder.parent.name for folder in (ROOT / 'seg_ros').glob('*/__init__.py'))
    pattern = re.compile(rf'`(?:seg_ros\.)?((?:{layers})(?:\.[A-Za-z_]+)+)`')
    for file in sorted((ROOT / 'seg_ros').rglob('*.py')):
        yield from ((file, name) for name in pattern.findall(read(file)))


def exists(name: str) -> bool:
    """Return whether a dotted name below seg_ros is a module, or defined at the top of one."""
    path = (ROOT / 'seg_ros').joinpath(*name.split('.'))
    if path.with_suffix('.py').is_file() or path.is_dir():
        return True
    files = path.parent.with_suffix('.py'), path.parent / '__init__.py'
    source = ''.join(read(file) for file in files if file.is_file())
    return bool(re.search(rf'^(?:class |def |){path.name}\b', source, re.MULTILINE))


def test_modules_that_docstrings_name_exist():
    names = list(referenced_names())
    assert len(names) > 10
    assert [(str(file), name) for file, name in names if not exists(name)] == []


def test_the_readme_is_short():
    assert len(read(README).splitlines()) <= 200


def test_every_key_of_a_card_is_explained_and_the_example_is_one():
    families = pytest.importorskip('seg_ros.compile.families', reason='needs onnx and spox')
    page = read(ROOT / 'docs' / 'own_model.md')
    rows = ''.join(line.split('|')[1] for line in page.splitlines() if line.startswith('| `'))
    for kind in (ModelCard, ClassInfo, InputSpec, CardThresholds):
        for item in fields(kind):
            assert f'`{item.name}`' in rows, item.name
    for family in families.FAMILIES:
        assert f'`{family}`' in rows, family
    (example,) = (text for language, text in FENCE.findall(page) if language == 'yaml')
    assert card_from_dict(yaml.safe_load(example)).task == 'semantic'


def test_every_topic_that_is_published_is_in_the_readme():
    outputs = ROOT / 'seg_ros' / 'ros' / 'outputs'
    source = ''.join(path.read_text() for path in outputs.glob('*.py'))
    topics = re.findall(r"Output\(\s*'([a-z_/]+)'", source)
    assert len(topics) >= 12
    text = read(README)
    for topic in [*topics, 'label_info']:
        assert f'`{topic}`' in text, topic


def test_every_parameter_that_a_page_sets_exists():
    known = {*EVERY, 'autostart', 'use_sim_time'}
    for page in PAGES:
        lines = [line for line in read(page).splitlines() if 'segmentation_node' in line]
        for name in re.findall(r' -p ([a-z_]+):=', '\n'.join(lines)):
            assert name in known, f'{page.name}: {name}'


def test_every_command_that_a_page_calls_exists_and_takes_its_options():
    calls = [
        (page.name, *call) for page in PAGES
        for call in CALL.findall(read(page))
    ]
    assert len(calls) > 20
    for page, name, words in calls:
        assert name in COMMANDS, f'{page}: seg_ros {name}'
        command = import_module(f'seg_ros.commands.{name}')
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        known = set(re.findall(r'--[a-z0-9-]+', parser.format_help()))
        for option in re.findall(r'--[a-z0-9-]+', words.partition('#')[0]):
            assert option in known, f'{page}: seg_ros {name}{words}'


def test_every_file_of_the_code_that_a_page_names_exists():
    for page in PAGES:
        for name in re.findall(r'`((?:seg_ros|test|config|launch|docker)/[\w/.]+)`', read(page)):
            assert (ROOT / name).exists() or '/NAME' in name, f'{page.name}: {name}'


def test_the_drawing_of_the_layers_is_the_one_made_from_the_imports():
    arrows = arrows_from_source(ROOT / 'seg_ros')
    assert read(ROOT / 'docs' / 'images' / 'layers.svg') == svg(arrows), 'run `make docs`'
    assert rows_of(arrows)[-1] == ['core']


def test_an_arrow_that_a_longer_way_implies_is_left_out():
    arrows = {'a': frozenset('bc'), 'b': frozenset('c'), 'c': frozenset()}
    assert without_detours(arrows) == {**arrows, 'a': frozenset('b')}


def test_every_page_is_in_the_navigation():
    config = read(ROOT / 'mkdocs.yml')
    for page in PAGES[1:]:
        assert str(page.relative_to(ROOT / 'docs')) in config, page


def test_the_messages_that_troubleshooting_explains_are_those_of_the_code():
    files = [*(ROOT / 'seg_ros' / 'ros').rglob('*.py'), *(ROOT / 'seg_ros').glob('pipeline/*.py'),
             *(ROOT / 'seg_ros').glob('training/*.py'),
             *(ROOT / 'seg_ros' / name for name in (
                 'engines/__init__.py', 'commands/train_options.py', 'core/card.py',
             ))]
    said = '\n'.join(
        node.value for file in files for node in ast.walk(ast.parse(read(file)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    page = read(ROOT / 'docs' / 'troubleshooting.md')
    messages = re.findall(r'^\| (`[^|]+`) \|', page, re.MULTILINE)
    assert len(messages) > 12
    for message in (words for cell in messages for words in re.findall('`([^`]+)`', cell)):
        for part in re.split(r'\b[A-Z]+\b| …|…|: ', message):
            assert part.strip() in said, f'{message}: {part}'
