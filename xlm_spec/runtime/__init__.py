"""What all packages share: training, data, tasks, metrics, evaluation, generation."""
