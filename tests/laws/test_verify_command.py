"""`xlm-spec verify` and the record that it writes into a README."""

import json
import re

import pytest
import torch
from methods import MASKED, PLAIN, text
from verify_runs import run

from xlm_spec import __version__
from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.status import status
from xlm_spec.refresh.verified_section import BEGIN, END, code_hash
from xlm_spec.workbench import verify
from xlm_spec.workbench.verified import record

pytestmark = pytest.mark.slow


def test_the_command(tmp_path):
    (tmp_path / "method.yaml").write_text(text(MASKED))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    report = verify(str(folder))
    first = report.text(quiet=False).splitlines()
    assert re.fullmatch(r"\S+: \d+ held, \d+ n/a \([\d.]+ s\)", first[0])
    assert first[1].startswith(
        '  claim: bound: proved by "the bound equals the entropy at its minim'
    )
    assert first[2].startswith(
        "  claim: exact sampler ancestral, with steps = 512, not 8: proved by "
    )
    assert "  held      alpha decreases from 1: 0 <= 1e-06, control 1" in first
    assert report.text(quiet=True).splitlines()[1:] == []
    done = run("--json", "method.yaml", cwd=tmp_path)
    assert done.exit_code == 0, done.stdout
    output = json.loads(done.stdout)
    assert output[0]["sound"]
    assert [c["verdict"] for c in output[0]["claims"]] == ["proved", "proved"]
    assert {law["status"] for law in output[0]["laws"]} == {"held", "n/a"}
    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    done = run("--quiet", folder, cwd=tmp_path)
    assert done.exit_code == 1
    printed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert "failed" in printed
    assert not printed & {"held", "n/a"}
    assert "  claim: bound: refuted by" in done.stdout
    assert "  failed    the bound equals the entropy at its minimiser: " in done.stdout
    noise.write_text("<<<<<<< yours\n")
    done = run(folder, cwd=tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error[X411]: the package can't be imported: SyntaxError")
    assert run(tmp_path, cwd=tmp_path).stderr.startswith("error[X410]")
    assert torch.get_num_threads() == 1


def test_only_the_laws_that_are_named(tmp_path):
    """They and basic laws that fail; without a verdict on claims, and without a record."""
    (tmp_path / "method.yaml").write_text(text(MASKED))
    done = run("--law", "alpha decreases", "--law", "padding has", "method.yaml", cwd=tmp_path)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"method.yaml: 2 held \([\d.]+ s\)", lines[0])
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "  held      alpha decreases from 1",
        "  held      padding has no effect",
    ]
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    head = folder / "method" / "model.py"
    head.write_text(head.read_text().replace("bias).float()", "bias).float()[..., 0]"))
    done = run("--law", "alpha decreases", folder, cwd=tmp_path)
    assert done.exit_code == 1
    assert "  failed    heads have an output for each hidden state" in done.stdout
    for words, message in {
        ("--law", "padings"): "no law has 'padings' in its name; did you mean 'padding'?",
        ("--law", "padding", "--record"): "--record writes the results of all laws",
    }.items():
        done = run(*words, folder, cwd=tmp_path)
        assert done.exit_code == 2
        assert message in done.stderr


def test_the_readme_of_a_package_contains_the_verified_laws(tmp_path):
    """Between two comments; a build keeps the section, and a second record replaces it."""
    spec = tmp_path / "method.yaml"
    spec.write_text(text(MASKED))
    folder = build(spec, tmp_path / "out").folder
    readme = folder / "README.md"
    fresh = readme.read_text()
    assert "No verification is recorded yet." in fresh
    done = run("--record", "--quiet", folder, cwd=tmp_path)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [f"  recorded in {readme}"]
    recorded = readme.read_text()
    assert re.search(
        rf"Verified with xlm-spec {re.escape(__version__)} and torch [\d.]+; the SHA", recorded
    )
    assert (
        "| with any model every step follows its enumerated distribution | held: ancestral |"
        in recorded
    )
    exact = "the likelihood of every sequence is exact"
    assert f"| {exact} | not applicable: the method has no exact likelihood |" in recorded
    assert recorded.partition(BEGIN)[0] == fresh.partition(BEGIN)[0]
    assert recorded.partition(END)[2] == fresh.partition(END)[2]
    code = code_hash(folder)
    assert f"`{code}`. Laws: " in recorded
    assert '\nClaims:\n\n- bound: proved by "the bound equals' in recorded

    spec.write_text(text(MASKED).replace("rotary", "{kind: rotary, layers: 3}"))
    build(spec, tmp_path / "out")
    assert readme.read_text() == recorded  # of the previous code, which the build changed
    assert code_hash(folder) != code
    assert [d.code for d in status(folder).warnings] == ["X414"]
    record(verify(str(folder)), folder)
    assert f"`{code_hash(folder)}`. Laws: " in readme.read_text()
    assert status(folder).warnings == ()
    bound, sampler = status(folder).as_json()["claims"]
    assert bound.startswith('bound: proved by "the bound equals')
    assert sampler.startswith("exact sampler ancestral, with steps = 512, not 8: proved by ")

    noise = folder / "method" / "noise.py"
    noise.write_text(noise.read_text().replace("-schedule.dalpha(t)", "-2 * schedule.dalpha(t)"))
    record(verify(str(folder)), folder)
    assert "| the bound equals the entropy at its minimiser | failed |" in readme.read_text()


def test_a_record_is_of_the_code_that_was_verified(tmp_path):
    """Not of code that changed in the meantime; line endings stay as they are."""
    (tmp_path / "method.yaml").write_text(text(PLAIN))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    readme = folder / "README.md"
    readme.write_bytes(readme.read_bytes().replace(b"\n", b"\r\n"))
    done = verify(str(folder))
    record(done, folder)
    recorded = readme.read_bytes()
    assert recorded.count(b"\n") == recorded.count(b"\r\n") > 100
    assert status(folder).as_json()["claims"]
    (folder / "method" / "more").mkdir()
    (folder / "method" / "more" / "code.py").write_text("")
    assert [d.code for d in status(folder).warnings] == ["X414"]
    with pytest.raises(Failed, match="the code of the package changed while it was verified"):
        record(done, folder)
    assert readme.read_bytes() == recorded


def test_a_record_needs_its_section(tmp_path):
    (tmp_path / "method.yaml").write_text(text(PLAIN))
    folder = build(tmp_path / "method.yaml", tmp_path / "out").folder
    readme = folder / "README.md"
    text_before = readme.read_text().replace(END, "")
    readme.write_text(text_before)
    done = run("--record", folder, cwd=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X413]: the README has no section for verified laws")
    assert readme.read_text() == text_before
    done = run("--record", "method.yaml", cwd=tmp_path)
    assert done.exit_code == 2
    assert "--record writes into the README" in done.stderr
