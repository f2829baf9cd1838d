"""The law of `discrete`: few times, so that all can be enumerated."""

FEW_TIMES = {"noise_steps": 6}
