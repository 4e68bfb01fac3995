"""A card in which nothing is left to its default."""

from seg_ros.core.card import CardThresholds, ClassInfo, InputSpec, ModelCard

FULL = ModelCard(
    'town', 'panoptic',
    (
        ClassInfo(0, 'road', (128, 64, 128), False, ('traversable',)),
        ClassInfo(65534, 'car', (0, 0, 142), True, ('dynamic', 'graspable')),
    ),
    family='yolo',
    input=InputSpec(
        (480, 640), 'shortest_side', 'top_left', 'area', 0, 'bgr', 1.0, (1.0, 2.0, 3.0),
        (57.0, 58.0, 59.0),
    ),
    thresholds=CardThresholds(0.1, 0.2, 0.3, 0.4),
    licence='MIT', source='a paper', source_sha256='ab' * 32,
)
