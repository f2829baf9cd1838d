"""The keys of the spec language beyond one package: its axes, and all component parameters.

The runtime cannot read the files from which the compiler derives them; a test compares both.
"""

AXIS_KEYS = (  # dotted names of choices that only a spec can change
    *("noise.process", "noise.schedule", "noise.time", "noise.count", "noise.roll_in"),
    *("target", "loss"),
    *("loss.weight", "sampler", "sampler.order", "sampler.gaps", "sampler.tokens", "sampler.stop"),
    *("sampler.remasking", "sampler.wrap", "sampler.corrector", "backbone", "head"),
)
PARAMETERS = {  # section -> last parts of the dotted names of its parameters
    "noise": (
        *("edge", "eps", "exponent", "flow_power", "largest", "least", "longest", "mean_drops"),
        *("min_corrupted", "most", "noise_steps", "power", "share", "smallest", "squared"),
        *("steepness", "uniform"),
    ),
    "target": ("balanced", "tau"),
    "loss": ("complete", "largest"),
    "sampler": (
        *("alpha", "annealed", "before", "coldest", "count", "counts", "during", "end", "ends"),
        *("eos", "eos_last", "factor", "first", "gamma", "k", "keep", "moves", "noise", "p"),
        *("proxy", "rate", "rounds", "scale", "share", "size", "steps", "temperature"),
        *("threshold", "tokens_per_step", "top_k", "top_p", "warmest"),
    ),
    "backbone": (
        *("condition", "dropout", "gelu", "heads", "layers", "positions", "token_shift", "width"),
    ),
    "head": (),
}


def is_axis(key: str) -> bool:
    """True for an axis: `sampler.order`, or `sampler.a.order` with several samplers."""
    parts = key.split(".")
    without_name = f"{parts[0]}.{parts[-1]}" if len(parts) > 1 else key
    return parts[-1] == "kind" or without_name in AXIS_KEYS
