"""How long seg_ros takes, beside physical limits and beside what others do."""
