"""Keys and settings of other code: what is written here instead, and what differs."""

from xlm_spec.compiler.axes import COUNT, TIME

OTHERS = {  # keys of a spec that are neither an axis nor settings -> keys of other code
    "xlm_spec": ("version", "spec_version", "schema_version", "xlmspec", "spec"),
    "name": ("model_name", "model_type", "package", "job_name", "experiment", "project", "id"),
    "title": ("description", "full_name", "summary"),
    "paper": ("url", "arxiv", "reference", "citation", "link", "source"),
    "noise": ("corruption", "diffusion", "forward_process", "noising", "interpolant"),
}
DECIDED = {  # settings of other code -> what decides them here
    "vocab_size": "the task decides the vocabulary",
    "causal": "the target decides it: `next_token` uses causal attention",
    "attention": "the target decides it: `next_token` uses causal attention",
    "time_conditioning": "the backbone decides it: `dit`, `dit_sigma` and `rotary_timed` are"
    " time-conditioned",
    "right_shift_logits": "the backbone decides it: `rotary_shifted` shifts its output",
    "epochs": "write `steps`, the number of training steps",
    "betas": "write the second as `beta2`; the first is 0.9",
    "min_lr": "write `lr_end`, the last learning rate as a share of `lr`",
    "devices": "write `--devices N` on the command line of a run",
}
KEYS = {  # keys of other code whose values mean something else there
    "kappa": "time has the opposite direction there: kappa(t) = alpha(1 - t), 1 on data",
    **dict.fromkeys(
        ("semi_ar", "semi_autoregressive"),
        "the blocks of LLaDA are `{blocks: {size: …}}`; the sliding window of MDLM is not"
        " available",
    ),
}
NUMBERS = {  # what a number means after a key of other code, if the language lacks it
    TIME: "write `time: {kind: discrete, noise_steps: …}` for discrete time, T steps of training,"
    " with process `mixture` and loss `posterior_kl`; `steps` of a sampler is its time grid",
    COUNT: "a constant number of corrupted tokens is not available: `uniform` draws the number,"
    " `exact` computes it from t",
}
KIND = ("type", "name", "class", "cls", "class_path", "_target_", "variant")
