"""Every number of missing tokens counts once, whatever a text's length; with it terms are a bound.

A sampler that inserts one token a step passes each number once, while the noise meets it less
often the longer a text is: without this weight it stops too early where lengths vary.

Also known as: level, per_level, n_plus_one, lengths
"""

BOUND = True
COUNT = "level_weight"
