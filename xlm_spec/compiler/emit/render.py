"""Plan -> {path: bytes}: pure, in memory, the same bytes that copier renders."""

import hashlib
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from jinja2 import FunctionLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.layout import laid_out
from xlm_spec.compiler.emit.plan import Plan
from xlm_spec.compiler.emit.state import ANSWERS
from xlm_spec.diagnostics import hidden
from xlm_spec.refresh.store import BUNDLE

PACKAGE = "package/"
YIELD = re.compile(r"{% yield (\w+) from ([\w.]+) %}(.*){% endyield %}")


def render(plan: Plan) -> dict[str, bytes]:
    """Every file of the package, by its path in the package's folder."""
    return rendered(laid_out(plan), templates.live(), templates.version())


def rendered(ir: dict, tree: dict[str, str], version: str) -> dict[str, bytes]:
    """The same with the templates of any version; `ir` is the laid-out plan in the answers."""
    env = environment(tuple(tree.items()))
    context = context_of(ir, version)
    out: dict[str, bytes] = {}
    for template in tree:
        if template.startswith(PACKAGE):
            for path, more in destinations(env, template, context):
                text = env.get_template(template).render(context | more)
                assert path not in out, f"two templates write {path}"
                out[path] = text.encode()
    return out


def context_of(ir: dict, version: str) -> dict:
    """The variables of the templates, as copier defines them."""
    answers = {"_commit": version, "_src_path": BUNDLE, "ir": ir}
    return {"plan": ir, "_copier_answers": answers, "_copier_conf": {"answers_file": ANSWERS}}


def destinations(
    env: SandboxedEnvironment, template: str, context: dict
) -> Iterator[tuple[str, dict]]:
    """The paths that a template is rendered to, each with its loop variable."""
    name = template.removeprefix(PACKAGE).removesuffix(".jinja")
    found = YIELD.search(name)
    if not found:
        yield safe(path_template(env, name).render(context) if "{" in name else name), {}
        return
    variable, source, inner = found.groups()
    whole = path_template(env, name[: found.start()] + inner + name[found.end() :])
    for item in env.compile_expression(source)(**context) or []:
        more = {variable: item}
        yield safe(whole.render(context | more)), more


def safe(text: str) -> str:
    """The path, if it stays inside the package. Raises ValueError."""
    parts = PurePosixPath(text).parts
    odd = any(hidden(c) or c in "\n\t" for c in text) or any(
        len(p.encode(errors="replace")) > 240 for p in parts
    )
    if not parts or text.startswith("/") or ".." in parts or "\\" in text or odd:
        raise ValueError(f"unsafe path {text!r}")
    return "/".join(parts)


@lru_cache(maxsize=256)
def path_template(env: SandboxedEnvironment, path: str) -> Template:
    """The path of a template as a template, compiled once."""
    return env.from_string(path)


@lru_cache(maxsize=8)  # the versions of packages, and the current one
def environment(tree: tuple[tuple[str, str], ...]) -> SandboxedEnvironment:
    """Jinja as copier configures it from copier.yml, with the two filters that we use.

    It compiles each template once, for all packages.
    """
    env = SandboxedEnvironment(
        loader=FunctionLoader(dict(tree).get),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["hash"] = lambda text, kind: hashlib.new(kind, text.encode()).hexdigest()
    env.filters["to_json"] = lambda value, **kw: json.dumps(value, **kw)
    return env
