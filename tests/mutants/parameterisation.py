"""Errors of the conversion between a denoiser and predictions without the token itself."""

from mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "denoiser in the bound of leave-one-out predictions",
        "denoiser",
        "loss",
        "without_now(logits.double(), now, alpha, mass)",
        "logits.double()",
    ),
    Mutant(
        "denoiser divided by the noise alone",
        "denoiser",
        "ops",
        "return logits - torch.where(arrived > 0, arrived, 1.0).log()",
        "return logits - mass.gather(1, now[:, None]).log()",
    ),
    Mutant(
        "sampler that reads a denoiser",
        "denoiser",
        "sampler",
        "return without_now(logits, now, self.schedule.alpha(t), mass)",
        "return logits",
    ),
    Mutant(
        "sampler that reads leave-one-out predictions",
        "denoised",
        "sampler",
        "return denoised(logits, now, self.schedule.alpha(t), mass)",
        "return logits",
    ),
    Mutant(
        "conversion by the token at the end of time",
        "denoised",
        "sampler",
        "mass, _ = mixed_noise(t, self.schedule, self.vocab)",
        "mass, _ = mixed_noise(torch.ones_like(t), self.schedule, self.vocab)",
    ),
    Mutant(
        "rates of jumps with the one that stays",
        "rates",
        "loss",
        "(now == clean) * 1.0 - at_now.exp() - at_clean",
        "(now == clean) * 1.0 - at_clean",
    ),
    Mutant(
        "rate of the flow without its share",
        "rates",
        "loss",
        "-schedule.dalpha(t) / share * scatter",
        "-schedule.dalpha(t) * scatter",
    ),
]
