"""Each number of missing tokens counts once, at any length; the terms then form a bound.

A sampler that inserts one token per step visits each number once, but training draws it less
often in longer sequences: without this weight it stops too early where lengths vary.

Also known as: levels, level, per_level, equal_counts, inverse_probability, n_plus_one, lengths
"""

COUNT = "count_weight"
