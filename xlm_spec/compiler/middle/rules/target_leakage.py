"""X355: a model that sees its targets gives no exact log p(x).

If the process corrupts nothing, the sum of the terms is log p(x) only if each token is predicted
from the tokens before it. Without causal attention the model also reads the token that it predicts.
With a process that changes x at random, it reads another sequence than x.
"""

from collections.abc import Iterator

from xlm_spec.compiler.middle.likelihood import claimed, predicts_unseen
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import attention
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X355"


def found(method: Method) -> Iterator[Finding]:
    if claimed(method) != "exact" or predicts_unseen(method):
        return
    process, target = method.spec.process, method.spec.targets[0]
    if attention(method) != "causal":
        message = f"process `{process.value}` corrupts nothing and target `{target.value}` is not"
        message = f"{message} causal, so the model sees its targets: no log p(x) is reported"
        yield Finding(target, message, 'write ATTENTION = "causal" in the file of the target')
    else:
        message = f"process `{process.value}` changes x at random: no log p(x) is reported"
        yield Finding(process, message, "use process `none` for an exact log p(x)")
