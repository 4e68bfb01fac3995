import resource

import pytest
from seg_ros.pipeline.process_memory import memory_mib, temperature_c


def test_resident_memory_is_within_what_the_kernel_says_was_the_most():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert 0.1 * most < memory_mib() <= 1.1 * most


def test_the_hottest_zone_that_can_be_read_is_told(tmp_path):
    for number, text in enumerate(['41500\n', '63000\n', 'off\n']):
        (tmp_path / f'thermal_zone{number}').mkdir()
        (tmp_path / f'thermal_zone{number}' / 'temp').write_text(text)
    assert temperature_c(tmp_path) == 63.0


def test_what_is_not_there_is_not_told(tmp_path):
    assert temperature_c(tmp_path) is None
    assert memory_mib(tmp_path / 'statm') is None


@pytest.mark.parametrize('text', ['', 'hot'])
def test_a_zone_that_says_no_number_is_left_out(tmp_path, text):
    (tmp_path / 'thermal_zone0').mkdir()
    (tmp_path / 'thermal_zone0' / 'temp').write_text(text)
    assert temperature_c(tmp_path) is None
