"""This system and the peer, xlm-core with xlm-models, alternately at equal size."""
