"""StarMedium of the ILM and XLM papers: three arms of three to six nodes, 20 labels."""

from xlm_spec.runtime.tasks.star import Star
from xlm_spec.runtime.tasks.task import small

TASK = Star(
    name="star_medium",
    degree=3,
    shortest=3,
    longest=6,
    plan=2,
    labels=20,
    sizes={"cpu": small(48, layers=4, warmup=200, steps=3000), "paper": {}},
)
