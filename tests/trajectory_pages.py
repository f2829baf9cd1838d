"""Pages for tests: trajectories in a few words, and what a browser finds in a page."""

import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import torch
from methods import MASKED, package

from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import Data, Train
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.evaluation.scoring import SampleResult
from xlm_spec.runtime.generation.page import page
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.weights.load_model import TrainedModel


class Characters(WordTokenizer):
    """Words that stand together without spaces."""

    def decode(self, ids):
        return "".join(self.words[i] for i in ids if i < len(self.words))


class Found(HTMLParser):
    """The elements of a page, the data of its method, and the text shown without JavaScript."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.scripts, self.shown, self.inside = [], [], [], ""
        self.feed(text)
        [self.data] = json.loads(self.scripts[0])["methods"]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.shown.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.shown).split())


class Method:
    """A package whose tokenizer has these eight words, and pages of what its samplers wrote."""

    def __init__(self, folder: Path, tokenizer: WordTokenizer, parts: dict[str, str] = MASKED):
        assert len(tokenizer.words) == 8  # as many as `Config.small` has
        made = package(folder, parts)
        task = SimpleNamespace(name="words", tokenizer=tokenizer)
        self.tokenizer, self.config = tokenizer, made.Config.small()
        self.run = Run(made, task, "cpu", self.config, Data(), Train())

    def page(self, **states: list) -> str:
        """Of one sample; a state is a text or a list of words, see `drawn`."""
        vocab, model = self.config.vocab, torch.nn.Linear(2, 2)
        layout = Layout(self.run.package.Examples, vocab, "eos", 4, 4)
        where = torch.device("cpu"), Path("best.ckpt"), 7
        loaded = TrainedModel(self.run, layout, model, *where)
        return page(loaded, 0, {name: self.drawn(s) for name, s in states.items()})

    def drawn(self, states: list) -> SampleResult:
        """A call a step. `_` is a mask, `.` the end; what is before `<` was given."""
        vocab, made = self.config.vocab, []
        ids = self.tokenizer.ids | {"_": vocab.mask, ".": vocab.eos}
        room = max(map(len, states)) + 1
        for state in states:
            given = list(state).index("<") if "<" in state else 0
            tokens = [vocab.bos, *(ids[w] for w in state if w != "<")]
            site = torch.arange(room)[None]
            padded = torch.tensor([tokens + [vocab.pad] * (room - len(tokens))])
            one = {"tokens": padded, "valid": site < len(tokens), "fixed": site <= given}
            made.append(SimpleNamespace(**one))
        steps = len(made) - 1
        return SampleResult(
            torch.zeros(1, 1), made, steps, steps, steps, 0.0, list(range(len(made)))
        )
