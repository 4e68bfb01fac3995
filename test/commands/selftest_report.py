"""The report of `seg_ros selftest`, as a program reads it."""

import argparse
import json

from seg_ros.commands import selftest


def report_of(capsys, *words):
    """Run the command; return its exit code and its checks by name."""
    parser = argparse.ArgumentParser()
    selftest.add_arguments(parser)
    code = selftest.run(parser.parse_args(['--json', '--frames', '12', *map(str, words)]))
    report = json.loads(capsys.readouterr().out)
    return code, {item['name']: item for item in report['checks']}
