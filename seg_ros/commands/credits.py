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

"""`seg_ros credits`: photographs that the default network was trained on, and their licences."""

import argparse
from collections import Counter
import json
from pathlib import Path
from typing import Any

from seg_ros.core.errors import ModelError

SUMMARY = 'list the photographs used for the default network, with licence and origin'
EXAMPLE = 'seg_ros credits --photographs'
CREDITS = Path(__file__).parents[1] / 'models' / 'credits.json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        '--photographs', action='store_true', help='list every photograph, not only the sources'
    )
    parser.add_argument('--json', action='store_true', help='print everything as one JSON object')


def run(args: argparse.Namespace) -> int:
    """
    Print the credits.

    :raises ModelError: if the credits file is missing or invalid.
    """
    credited = read_credits(CREDITS)
    if args.json:
        print(json.dumps(credited))
        return 0
    for source in credited['sources']:
        print(_source(source, credited['photographs']))
    if args.photographs:
        for item in credited['photographs']:
            print(_photograph(item))
    return 0


def read_credits(path: Path) -> dict[str, Any]:
    """
    Read sources and photographs.

    :returns: `sources` with `name`, `title`, `license` and `origin`, `photographs` with `source`,
        `name`, `license`, `use` (weights | threshold) and, where known, `url` and `author`.
    :raises ModelError: if the file is missing or invalid.
    """
    try:
        credited: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        _ = [item['license'] for item in credited['sources'] + credited['photographs']]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f'{path}: {error}', 'the credits of the default network', 'install seg_ros again'
        ) from error
    return credited


def _source(source: dict[str, Any], photographs: list[dict[str, Any]]) -> str:
    own = [item for item in photographs if item['source'] == source['name']]
    licences = Counter(item['license'] for item in own)
    uses = Counter(item['use'] for item in own)
    return '\n'.join([
        f'{source["name"]}: {source["title"]}',
        f'  labels       {source["license"]}',
        f'  from         {source["origin"]}',
        f'  photographs  {uses["weights"]} for the weights, {uses["threshold"]} for the threshold',
        *(f'               {count} {licence}' for licence, count in licences.most_common()), '',
    ])


def _photograph(item: dict[str, Any]) -> str:
    line = f'{item["source"]:<16}{item["name"]:<48}{item["license"]:<34}{_page(item)}'
    return f'{line}  {item["author"]}' if 'author' in item else line


def _page(item: dict[str, Any]) -> str:
    """Return the photograph's page at Flickr, which names the author, or its URL."""
    url = str(item.get('url', ''))
    number = url.rpartition('/')[2].partition('_')[0]
    return f'https://www.flickr.com/photo.gne?id={number}' if 'flickr' in url else url
