"""`push` and `hf:USER/NAME` with the client of the hub, against a server on loopback."""

import json
import shutil
from argparse import Namespace
from pathlib import Path

import huggingface_hub
import pytest
import torch
import yaml
from hub_server import Repository, hub
from package_runs import TINY, package_of, run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.weights import teacher
from xlm_spec.runtime.weights.hub import failures, is_hub, parsed
from xlm_spec.runtime.weights.load_model import load_model

pytestmark = pytest.mark.slow

NAME = "alice/mdlm-star"


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "star"
    run("mdlm", "export", "--run", trained, "--to", folder)
    return folder


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A hub, a token with which to write, and an empty cache."""
    with hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", "writes")
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield running


def one_diagnostic(done, code, *parts):
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert f"error[{code}]" in done.stderr
    for part in parts:
        assert part in done.stderr


def answers(*source):
    out = run("mdlm", "generate", "-n", 2, "--json", *source).stdout
    return [json.loads(line)["text"] for line in out.splitlines()]


def test_a_run_is_pushed_and_used(server, trained, exported, tmp_path):
    done = run("mdlm", "push", "--run", trained, "--to", NAME)
    assert done.stdout.strip() == f"{server.address}/{NAME}"
    files = server.repositories[NAME].commits[server.repositories[NAME].sha("main")]
    assert {*files} == {f.name for f in exported.iterdir()} | {".gitattributes"}
    assert files["model.safetensors"] == (exported / "model.safetensors").read_bytes()
    assert f'from_pretrained("{NAME}"' in files["README.md"].decode()
    assert answers("--checkpoint", f"hf:{NAME}") == answers("--run", trained)
    downloaded = {r.rpartition("/")[2] for r in server.requests if "resolve" in r}
    assert downloaded == {"config.json", "words.json", "model.safetensors"}  # no code
    words = ["--split", "val", "--json", "--sampler", "confidence"]
    scores = [
        json.loads(run("mdlm", "eval", *source, *words).stdout)["loss"]
        for source in (("--run", trained), ("--checkpoint", f"hf:{NAME}"))
    ]
    assert scores[0] == scores[1]
    folder = tmp_path / "tuned"
    run("mdlm", "train", *TINY, "--steps", 1, "--init", f"hf:{NAME}", "--run", folder)
    sha = server.repositories[NAME].sha("main")
    assert yaml.safe_load((folder / "config.yaml").read_text())["init"] == f"hf:{NAME}@{sha}"
    args = Namespace(checkpoint=Path(f"hf:{NAME}"), run=None, task=None, sets=[])
    known = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args)
    found = teacher.load(Path(f"hf:{NAME}"), known.run)
    assert torch.equal(found.token_logits.linear.bias, known.model.token_logits.linear.bias)
    server.shutdown()
    assert answers("--checkpoint", f"hf:{NAME}@{sha}") == answers("--run", trained)  # the cache


def files_on(server, name=NAME):
    """The files of a repository."""
    found = server.repositories[name]
    return found.commits[found.sha("main")]


def test_a_second_push_replaces_the_first(server, exported, tmp_path):
    """What an export wrote is deleted, what its author wrote stays."""
    copy = shutil.copytree(exported, tmp_path / "copy")
    (copy / "old.py").write_text("")
    project = (copy / "pyproject.toml").read_text()
    more = project.replace('"ops.py"', '"ops.py", "old.py", "../up.py"')
    (copy / "pyproject.toml").write_text(more)
    run("mdlm", "push", "--from", copy, "--to", NAME, "--private")
    assert server.repositories[NAME].private
    assert "old.py" in files_on(server)
    found = server.repositories[NAME]
    found.commit(files_on(server) | {"images/a.png": b"png", "own.py": b""})
    (copy / "old.py").unlink()
    (copy / "spec.yaml").unlink()
    (copy / "pyproject.toml").write_text(project)
    (copy / "README.md").write_text("---\ntags: [mine]\n---\n")
    (copy / "LICENSE").write_text("MIT")
    run("mdlm", "push", "--from", copy, "--to", NAME)
    files = files_on(server)
    assert len(found.commits) == 4  # one a push, and two others
    assert not {"old.py", "spec.yaml"} & {*files}
    assert {"images/a.png", "own.py", ".gitattributes", "LICENSE"} <= {*files}
    assert files["README.md"] == b"---\ntags: [mine]\n---\n"
    assert sum(r.startswith("PUT /lfs/") for r in server.requests) == 1  # the weights are the same


def test_only_the_files_of_an_export_are_pushed(server, exported, tmp_path):
    copy = shutil.copytree(exported, tmp_path / "copy")
    for name in (".env", "id_rsa", "notes.py", "data/alice.jsonl", ".ipynb_checkpoints/x.py"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("secret")
    (copy / "link").symlink_to("/etc/hostname")
    done = run("mdlm", "push", "--from", copy, "--to", NAME)
    listed = ".env, .ipynb_checkpoints, data, id_rsa, link, notes.py"
    assert f"not pushed: files that no export has, {listed}\n" in done.stderr
    assert {*files_on(server)} == {f.name for f in exported.iterdir()} | {".gitattributes"}


def test_a_folder_without_an_export_is_not_pushed(server, exported, tmp_path):
    for name in ("config.json", "pyproject.toml", "words.json", "model.safetensors"):
        copy = shutil.copytree(exported, tmp_path / name)
        (copy / name).unlink()
        done = run("mdlm", "push", "--from", copy, "--to", NAME, check=False)
        one_diagnostic(done, "X630", "holds no export")
    other = shutil.copytree(exported, tmp_path / "other")
    for content in ("{}", "[]", "not JSON", '{"xlm_spec": 3}'):
        (other / "config.json").write_text(content)
        done = run("mdlm", "push", "--from", other, "--to", NAME, check=False)
        one_diagnostic(done, "X630", "holds no export")
    assert server.repositories == {}


def test_a_repository_of_another_model_stays_as_it_is(server, exported):
    found = server.repositories[NAME] = Repository()
    theirs = {".gitattributes": b"x", "README.md": b"mine", "pytorch_model.bin": b"another"}
    found.commit(theirs | {"config.json": b"{}", "model.safetensors": b"", "images/a.png": b""})
    before = dict(files_on(server))
    done = run("mdlm", "push", "--from", exported, "--to", NAME, check=False)
    one_diagnostic(done, "X632", f"`{NAME}` holds other files, and no export of xlm-spec: config")
    assert files_on(server) == before
    found.commit({".gitattributes": b"x", "README.md": b"mine", "LICENSE": b"MIT"})
    run("mdlm", "push", "--from", exported, "--to", NAME)
    assert files_on(server)["LICENSE"] == b"MIT"
    assert "config.json" in files_on(server)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionError("hf_xet: no route"), "X633"),
        (ConnectionRefusedError(111, "Connection refused"), "X633"),
        (TimeoutError("timed out"), "X633"),
        (TimeoutError(110, "Connection timed out"), "X633"),
        (OSError("hf_xet: stopped"), "X633"),
        (RuntimeError("hf_xet: stopped"), "X633"),
        (ValueError("bad name"), "X632"),
    ],
)
def test_errors_of_the_client(error, code):
    with pytest.raises(Failed) as caught, failures(NAME):
        raise error
    assert caught.value.diagnostics[0].code == code


def test_errors_of_the_disk_are_no_errors_of_the_client():
    with pytest.raises(OSError, match="No space left"), failures(NAME):
        raise OSError(28, "No space left on device")
    with pytest.raises(ZeroDivisionError), failures(NAME):
        raise ZeroDivisionError


def test_a_push_that_failed_goes_on(server, exported):
    server.fail_once.add(f"/api/models/{NAME}/commit/main")
    failed = run("mdlm", "push", "--from", exported, "--to", NAME, check=False)
    one_diagnostic(failed, "X633", "(500): Internal Error", server.address)
    assert len(server.repositories[NAME].commits) == 1
    run("mdlm", "push", "--from", exported, "--to", NAME)
    assert len(server.repositories[NAME].commits) == 2
    assert sum(r.startswith("PUT /lfs/") for r in server.requests) == 1


def test_a_download_that_breaks_off_goes_on(server, exported, trained, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 10)
    run("mdlm", "push", "--from", exported, "--to", NAME)
    server.cut_once.add("model.safetensors")
    assert answers("--checkpoint", f"hf:{NAME}") == answers("--run", trained)
    size = (exported / "model.safetensors").stat().st_size
    assert server.ranges == [f"model.safetensors {size // 2 // 1024 * 1024}"]


def test_access(server, exported, monkeypatch):
    run("mdlm", "push", "--from", exported, "--to", NAME, "--private")
    before = len(server.requests)
    push = ["push", "--from", exported, "--to", "alice/other"]
    monkeypatch.delenv("HF_TOKEN")
    one_diagnostic(run("mdlm", *push, check=False), "X631", "no access token", "hf auth login")
    assert len(server.requests) == before
    hidden = run("mdlm", "generate", "--checkpoint", f"hf:{NAME}", check=False)
    one_diagnostic(hidden, "X632", f"no repository `{NAME}`", "private")
    monkeypatch.setenv("HF_TOKEN", "expired")
    one_diagnostic(run("mdlm", *push, check=False), "X631", "Invalid credentials")
    other = run("mdlm", "generate", "--checkpoint", f"hf:{NAME}", check=False)
    one_diagnostic(other, "X631", "Invalid credentials")
    monkeypatch.setenv("HF_TOKEN", "reads")
    one_diagnostic(run("mdlm", *push, check=False), "X631", "rights to write")
    assert "alice/other" not in server.repositories


def test_wrong_repositories(server, exported, tmp_path):
    generate = ["generate", "--checkpoint"]
    for name in ("star", "a/b/c", "", "alice/a b"):
        one_diagnostic(run("mdlm", *generate, f"hf:{name}", check=False), "X632", "USER/NAME")
    named = run("mdlm", "push", "--from", exported, "--to", "star", check=False)
    one_diagnostic(named, "X632", "`star` is not the name of a repository")
    assert server.requests == []
    missing = run("mdlm", *generate, "hf:bob/nothing", check=False)
    one_diagnostic(missing, "X632", "no repository `bob/nothing`")
    run("mdlm", "push", "--from", exported, "--to", NAME)
    old = run("mdlm", *generate, f"hf:{NAME}@v1", check=False)
    one_diagnostic(old, "X632", "no such revision")
    found = server.repositories[NAME]
    found.commit({"README.md": b""})
    other = run("mdlm", *generate, f"hf:{NAME}", check=False)
    one_diagnostic(other, "X632", "holds no export", "config.json")
    empty = run("mdlm", "push", "--from", tmp_path, "--to", NAME, check=False)
    one_diagnostic(empty, "X630", "holds no export")
    init = run(
        "mdlm", "train", *TINY, "--init", "hf:bob/nothing", "--run", tmp_path / "r", check=False
    )
    one_diagnostic(init, "X632")
    assert not (tmp_path / "r").exists()


def test_no_connection(server, exported, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    generate = run("mdlm", "generate", "--checkpoint", f"hf:{NAME}", check=False)
    one_diagnostic(generate, "X633", "http://127.0.0.1:9")
    push = run("mdlm", "push", "--from", exported, "--to", NAME, check=False)
    one_diagnostic(push, "X633", "http://127.0.0.1:9")


def test_names_on_the_hub():
    assert parsed(Path("hf:alice/star@v1.0")) == ("alice/star", "v1.0")
    assert parsed(Path("hf:alice/star")) == ("alice/star", None)
    assert not is_hub(Path("runs/hf/last.ckpt"))
