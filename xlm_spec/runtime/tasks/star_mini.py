"""Star graphs of three arms and four nodes a path, named by 12 numbers: learnt in a CPU minute."""

from xlm_spec.runtime.tasks.star import Star

TASK = Star(
    name="star_mini",
    degree=3,
    shortest=4,
    longest=4,
    plan=3,
    labels=12,
    sizes={
        "cpu": {
            "backbone.layers": 3,
            "backbone.width": 64,
            "backbone.heads": 4,
            "backbone.dropout": 0.0,
            "backbone.positions": 32,
            "backbone.mixing": True,
            "train.batch": 64,
            "train.lr": 3e-3,
            "train.warmup": 100,
            "train.steps": 1000,
        },
        "paper": {},
    },
    defaults={"train.lr_end": 0.1, "train.beta2": 0.98},
)
