"""xlm-spec against the peer, xlm-core with xlm-models, measured alternately at equal size."""
