"""StarHard of the ILM and XLM papers: five arms of six to twelve nodes, named by 56 numbers."""

from xlm_spec.runtime.tasks.star import Star

TASK = Star(
    name="star_hard",
    degree=5,
    shortest=6,
    longest=12,
    plan=5,
    labels=56,
    sizes={
        "cpu": {
            "backbone.layers": 4,
            "backbone.width": 64,
            "backbone.heads": 4,
            "backbone.dropout": 0.0,
            "backbone.positions": 144,
            "backbone.mixing": True,
            "train.batch": 64,
            "train.lr": 3e-3,
            "train.warmup": 200,
            "train.steps": 4000,
        },
        "paper": {},
    },
    defaults={"train.lr_end": 0.1, "train.beta2": 0.98},
)
