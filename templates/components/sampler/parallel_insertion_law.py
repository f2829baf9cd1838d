"""The law of `parallel_insertion`: a token into every gap that is not finished, independently."""

import torch

from xlm_spec.laws import BOS, LONGEST, PAD, SIZE, Sampling, Step

Tokens = tuple[int, ...]
Sequence = tuple[Tokens, tuple[bool, ...] | bool]  # tokens, open gaps; False: all gaps


def steps(s: Sampling) -> list[Step]:
    rule = s.rule("tokens")

    def step(state: Sequence) -> dict[Sequence, float]:
        tokens, known_gaps = state
        open = known_gaps if isinstance(known_gaps, tuple) else (True,) * (1 + len(tokens))
        if not any(open):
            return {state: 1.0}
        line = torch.tensor([[BOS, *tokens, *[PAD] * (LONGEST - len(tokens))]])
        hidden = s.model(line, line != PAD)
        ends = torch.sigmoid(s.model.gap_end_logit(hidden).double())[0].tolist()
        p = rule(s.model.gap_token_logits(hidden).double().softmax(-1))[0].tolist()
        after: dict[tuple[Tokens, tuple[bool, ...]], float] = {((), ()): 1.0}
        for gap in range(len(tokens) + 1):
            old = tokens[gap - 1 : gap] if gap else ()
            going = open[gap] and ends[gap] < s.parameters.ends
            new = {}
            for (known, gaps), q in after.items():
                fits = going and len(known) + len(tokens[max(gap - 1, 0) :]) < LONGEST
                for v in range(SIZE) if fits else [None]:
                    more = () if v is None else (v,)
                    key = ((*known, *old, *more), (*gaps, going, *(True for _ in more)))
                    new[key] = q * (1.0 if v is None else p[gap][v])
            after = new
        return {closed(key): q for key, q in after.items()}

    return [step] * LONGEST


def closed(state: tuple[Tokens, tuple[bool, ...]]) -> Sequence:
    """A row that is full has no open gap."""
    tokens, open = state
    return tokens, (False,) * len(open) if len(tokens) == LONGEST else open
