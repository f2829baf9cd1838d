"""StarEasy of the ILM and XLM papers: three arms, five nodes a path, named by 20 numbers."""

from xlm_spec.runtime.tasks.star import Star

TASK = Star(
    name="star_easy",
    degree=3,
    shortest=5,
    longest=5,
    plan=4,
    labels=20,
    sizes={
        "cpu": {
            "backbone.layers": 4,
            "backbone.width": 64,
            "backbone.heads": 4,
            "backbone.dropout": 0.0,
            "backbone.positions": 40,
            "backbone.mixing": True,
            "train.batch": 64,
            "train.lr": 3e-3,
            "train.warmup": 200,
            "train.steps": 1500,
        },
        "paper": {},
    },
    defaults={"train.lr_end": 0.1, "train.beta2": 0.98},
)
