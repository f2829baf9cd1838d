"""An export in transformers: AutoModel, and tokenizer.json."""

import json

import pytest
import torch
from exports import HEADS, export_of, prompts_of, untrained
from package_runs import package_of

from xlm_spec.runtime.data.tokenizers import CharacterTokenizer, SubwordTokenizer, WordTokenizer
from xlm_spec.runtime.publish.tokenizer_files import tokenizer_files
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights import pretrained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The export of a run, in the folder `star`."""
    return export_of(trained, tmp_path_factory.mktemp("exports") / "star")


@pytest.fixture(scope="module")
def auto():
    """The library, with its cache in the home of the tests."""
    return pytest.importorskip("transformers")


@pytest.mark.parametrize("name", ["mdlm", "ilm", "gidd", "arlm"])
def test_automodel_has_the_same_logits_and_samples(name, auto, tmp_path):
    known = untrained(package_of(name), tmp_path / f"star-{name}")
    model = auto.AutoModel.from_pretrained(tmp_path / f"star-{name}", trust_remote_code=True)
    rows, prompts = prompts_of(known, 3)
    x = known.layout.examples(rows)
    t = torch.full((3, 1), 0.4)
    out = model(x.tokens, attention_mask=x.valid.long(), t=t)
    hidden = known.model(x.tokens, x.valid, t)
    head = getattr(known.model, HEADS.get(name, "token_logits"))
    torch.testing.assert_close(out.last_hidden_state, hidden, atol=1e-6, rtol=0)
    logits = torch.stack([head(h) for h in hidden])
    assert logits.isneginf().any()  # special tokens are never predicted
    torch.testing.assert_close(out.logits, logits, atol=1e-6, rtol=0)
    width = max(map(len, prompts))
    padded = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    found = model.generate(padded, attention_mask=mask, generator=generator(1))
    assert torch.equal(found[:, :width], padded)
    expected = pretrained.load(tmp_path / f"star-{name}", known.run.package)
    answers = expected.sample(prompts, None, generator(1))
    pad = known.run.config.vocab.pad
    assert [[t for t in row if t != pad] for row in found[:, width:].tolist()] == answers
    if name == "gidd":
        with pytest.raises(ValueError, match="gidd is time-conditioned"):
            model(x.tokens)


def test_automodel_of_a_run(auto, exported):
    """From the files of `export`, tokenizer included; seeded by torch.manual_seed."""
    model = auto.AutoModel.from_pretrained(exported, trust_remote_code=True)
    tokenizer = auto.AutoTokenizer.from_pretrained(exported, trust_remote_code=True)
    own = pretrained.load(exported, package_of("mdlm"))
    for k, v in own.model.state_dict().items():
        assert torch.equal(model.model.state_dict()[k], v)
    text = " ".join(own.tokenizer.tokens[:4])
    prompt = tokenizer([text], return_tensors="pt")
    assert prompt["input_ids"].tolist() == [own.tokenizer.encode(text)]
    both = []
    for _ in range(2):
        torch.manual_seed(0)
        both.append(model.generate(**prompt, sampler="ancestral"))
    assert torch.equal(*both)
    assert tokenizer.decode(both[0][0], skip_special_tokens=True).startswith(text)


BPE = {
    "version": "1.0",
    "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
    "padding": None,
    "added_tokens": [
        {
            "id": 6,
            "content": "<pad>",
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
            "special": True,
        }
    ],
    "normalizer": None,
    "pre_tokenizer": {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "use_regex": True,
        "trim_offsets": True,
    },
    "post_processor": None,
    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
    "model": {
        "type": "BPE",
        "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "Ġ": 4, "abc": 5, "<pad>": 6},
        "merges": [["a", "b"], ["ab", "c"]],
    },
}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (WordTokenizer(("1", "2", "->", "<pad>")), "1 -> 2 2"),
        (CharacterTokenizer("\n abc'"), "a b\n\nc' a"),
        (SubwordTokenizer(json.dumps(BPE)), "ab abc c"),
    ],
    ids=["words", "characters", "subwords"],
)
def test_tokenizers_agree(words, text, auto, tmp_path):
    """Ours, that of the exported folder, and that of transformers."""
    vocab = package_of("mdlm").Vocab(**words.vocabulary(("eos", "mask")))
    for name, content in tokenizer_files(words, vocab).items():
        (tmp_path / name).write_text(content)
    theirs = auto.AutoTokenizer.from_pretrained(tmp_path)
    own, ids = pretrained.Tokenizer(words.state), words.encode(text)
    assert own.encode(text) == theirs(text)["input_ids"] == ids
    assert own.decode([*ids, vocab.eos]) == words.decode(ids) == text
    assert theirs.decode([*ids, vocab.eos], skip_special_tokens=True) == text
    special = theirs.pad_token_id, theirs.bos_token_id, theirs.eos_token_id, theirs.mask_token_id
    assert special == (vocab.pad, vocab.bos, vocab.eos, vocab.mask)
