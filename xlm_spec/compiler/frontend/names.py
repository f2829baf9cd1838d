"""Names that a Python module of the package must not have."""

import keyword
import sys

TAKEN = {
    *("torch", "lightning", "lightning_fabric", "lightning_utilities", "pytorch_lightning"),
    *("torchmetrics", "datasets", "tensorboard", "safetensors", "numpy", "sympy", "fsspec", "tqdm"),
    *("yaml", "click", "jinja2", "copier", "xlm_spec", "tests", "packaging", "typing_extensions"),
    *("aiohttp", "attr", "attrs", "dill", "filelock", "httpx", "huggingface_hub", "markupsafe"),
    *("mpmath", "multiprocess", "networkx", "pandas", "pyarrow", "requests", "setuptools", "six"),
    *("tokenizers", "triton", "urllib3", "xxhash"),
}


def name_conflict(name: str) -> tuple[str, str] | None:
    """Message and hint if the name is a Python keyword or another module."""
    if keyword.iskeyword(name):
        message = f"`{name}` is a Python keyword"
    elif name in sys.stdlib_module_names or name in TAKEN:
        message = f"`{name}` is the name of another Python module"
    else:
        return None
    return message, f"write, for example, `{name}_lm`"
