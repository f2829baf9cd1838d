"""What all packages share; `main.py` calls the workflows. A folder imports only those before it:

machine, data, tasks, config, loading, weights, evaluation, generation, training, publish.
"""
