"""Names that a module can't have: words of Python, and names of other modules."""

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


def hides(name: str) -> tuple[str, str] | None:
    """Why no package can have a name, and a way out."""
    if keyword.iskeyword(name):
        told = f"`{name}` is a word of Python"
    elif name in sys.stdlib_module_names or name in TAKEN:
        told = f"a package called `{name}` would hide another module of that name"
    else:
        return None
    return told, f"for example `{name}_lm`"
