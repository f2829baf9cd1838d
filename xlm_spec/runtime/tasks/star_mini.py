"""Star graphs with three arms, four nodes per path, 12 labels: learnt in a minute on a CPU."""

from xlm_spec.runtime.tasks.star import Star
from xlm_spec.runtime.tasks.task import small

TASK = Star(
    name="star_mini",
    degree=3,
    shortest=4,
    longest=4,
    plan=3,
    labels=12,
    sizes={"cpu": small(32), "paper": {}},
)
