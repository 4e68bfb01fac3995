"""The README says what the code does."""

from pathlib import Path
import re

from seg_ros.docs import README, with_tables


def test_the_readmes_parameter_table_is_the_one_made_from_the_settings():
    text = README.read_text(encoding='utf-8')
    assert with_tables(text) == text


def test_every_image_and_file_that_the_readme_links_to_exists():
    text = README.read_text(encoding='utf-8')
    links = re.findall(r'\]\((?!https?:|#)([^)#]+)', text)
    assert links
    for link in links:
        assert (README.parent / link).exists(), link


def test_every_topic_that_is_published_is_in_the_readme():
    outputs = Path(__file__).resolve().parent.parent / 'seg_ros' / 'ros' / 'outputs'
    source = ''.join(path.read_text() for path in outputs.glob('*.py'))
    topics = re.findall(r"Output\(\s*'([a-z_/]+)'", source)
    assert len(topics) >= 12
    text = README.read_text(encoding='utf-8')
    for topic in [*topics, 'label_info']:
        assert f'`{topic}`' in text, topic
