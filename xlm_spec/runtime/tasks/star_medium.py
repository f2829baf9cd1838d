"""StarMedium of the ILM and XLM papers: three arms of three to six nodes, named by 20 numbers."""

from xlm_spec.runtime.tasks.star import Star

TASK = Star(
    name="star_medium",
    degree=3,
    shortest=3,
    longest=6,
    plan=2,
    labels=20,
    sizes={
        "cpu": {
            "backbone.layers": 4,
            "backbone.width": 64,
            "backbone.heads": 4,
            "backbone.dropout": 0.0,
            "backbone.positions": 48,
            "backbone.mixing": True,
            "train.batch": 64,
            "train.lr": 3e-3,
            "train.warmup": 200,
            "train.steps": 3000,
        },
        "paper": {},
    },
    defaults={"train.lr_end": 0.1, "train.beta2": 0.98},
)
