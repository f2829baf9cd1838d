"""Errors that say that memory is short. Imports nothing heavy."""

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def is_shortage(e: BaseException) -> bool:
    """Was there not enough memory? torch raises RuntimeError, with one of these texts."""
    return isinstance(e, MemoryError) or any(w in str(e) for w in OUT_OF_MEMORY)
