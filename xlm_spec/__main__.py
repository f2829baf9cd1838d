"""python -m xlm_spec"""

from xlm_spec.cli import main

if __name__ == "__main__":
    main()
