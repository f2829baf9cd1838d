"""python -m editflows_pairs train | eval | generate | info, on the runtime of xlm-spec."""

import sys

import editflows_pairs

DATA = {"task": "typos", "fill": "none"}
TRAIN = {"batch": 64, "steps": 80000, "lr": 0.0001, "ema": 0.9999}

if __name__ == "__main__":
    try:
        from xlm_spec.runtime.main import main
    except ImportError as e:
        sys.exit(f"this command needs the runtime: pip install 'xlm-spec[train]' ({e})")
    sys.exit(main(editflows_pairs, data=DATA, train=TRAIN))
