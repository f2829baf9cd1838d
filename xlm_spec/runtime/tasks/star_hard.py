"""StarHard of the ILM and XLM papers: five arms of six to twelve nodes, 56 labels."""

from xlm_spec.runtime.tasks.star import Star
from xlm_spec.runtime.tasks.task import small

TASK = Star(
    name="star_hard",
    degree=5,
    shortest=6,
    longest=12,
    plan=5,
    labels=56,
    sizes={"cpu": small(144, layers=4, warmup=200, steps=4000), "paper": {}},
)
