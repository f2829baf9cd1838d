"""StarEasy of the ILM and XLM papers: three arms, five nodes per path, 20 labels."""

from xlm_spec.runtime.tasks.star import Star
from xlm_spec.runtime.tasks.task import small

TASK = Star(
    name="star_easy",
    degree=3,
    shortest=5,
    longest=5,
    plan=4,
    labels=20,
    sizes={"cpu": small(40, layers=4, warmup=200, steps=1500), "paper": {}},
)
