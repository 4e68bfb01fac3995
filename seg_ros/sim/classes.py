"""What the simulated worlds are made of, and what a robot may do with it."""

from seg_ros.core.card import ClassInfo, ModelCard

FLOOR, WALL, SUPPORT, OBJECT, ROBOT, PERSON = range(6)

CLASSES = (
    ClassInfo(FLOOR, 'floor', (128, 96, 64), roles=('traversable',)),
    ClassInfo(WALL, 'wall', (96, 128, 192)),    # doors and furniture too: what stands in the way
    ClassInfo(SUPPORT, 'support', (64, 160, 96), roles=('support',)),     # tables, bins, trays
    ClassInfo(OBJECT, 'object', (240, 160, 32), thing=True, roles=('graspable',)),
    ClassInfo(ROBOT, 'robot', (176, 64, 208), roles=('dynamic',)),
    ClassInfo(PERSON, 'person', (224, 32, 64), thing=True, roles=('dynamic',)),
)

CARD = ModelCard('seg_ros simulated worlds', 'panoptic', CLASSES)
