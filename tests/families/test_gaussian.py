"""Gaussian diffusion: vectors reach the model, and samples end at the predicted ones."""

import pytest
import torch
from family_packages import canvas, family_packages, lines, model_of, part, sampled


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return family_packages(tmp_path_factory.mktemp("families"), ["gaussian"])


def test_vectors_reach_the_model_as_a_wire(packages):
    """The tokens are ids, without those of free positions."""
    gaussian = packages["gaussian"]
    assert "hidden = model(z.tokens, z.valid, z.latent, t)  # (B, L, D)" in lines(gaussian)
    model, config = model_of(gaussian)
    x = canvas(gaussian)._replace(tokens=torch.arange(27).view(3, 9) % 8)
    t, rng = torch.full((3, 1), 0.3), torch.Generator().manual_seed(0)
    z = part(gaussian, "noise").corrupt(model, x, t, config.noise.schedule, config.vocab, rng)
    assert z.tokens.dtype == torch.long
    assert (z.tokens[~x.fixed] == config.vocab.mask).all()
    assert torch.equal(z.latent[x.fixed], model.embedding.vectors(x.tokens)[x.fixed])


def test_the_heads_read_the_number_of_features_of_the_backbone(packages):
    model, config = model_of(packages["gaussian"])
    assert model.clean_latent.linear.out_features == config.backbone.latent
    assert model.embedding.table.embedding_dim == config.backbone.latent
    assert not hasattr(config, "head")


def test_gaussian_samples_end_at_the_predicted_vectors(packages):
    """alpha(0) = 1: no noise remains, and the tokens are the nearest ones."""
    gaussian = packages["gaussian"]
    model, _ = model_of(gaussian)
    x = canvas(gaussian)
    last = sampled(gaussian, model, x)[-1]
    nearest = model.embedding(last.latent[~x.fixed]).argmax(-1)
    assert torch.equal(last.tokens[~x.fixed], nearest)
    assert torch.equal(last.latent[x.fixed], model.embedding.vectors(x.tokens)[x.fixed])
