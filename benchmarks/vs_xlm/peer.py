"""The peer: its environment, data in its format, its commands.

xlm-core 0.3.1 does not pin transformers and fails to import with the newest version; 4.57.1 is
the version in its requirements for molecules.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.vs_xlm.setting import BATCH, DROPOUT, EVERY, HEADS, LAYERS, SHIPPED, WIDTH
from benchmarks.vs_xlm.watch import surroundings
from xlm_spec.runtime import tasks
from xlm_spec.runtime.tasks.task import Rows

HERE = Path(__file__).parent
TORCH = "torch==2.13.0"
PACKAGES = ("xlm-core==0.3.1", "xlm-models==0.3.1", "transformers==4.57.1")
SPLITS = {"train": "train", "val": "validation", "test": "test"}
SHOWN = ("torch", "lightning", *(p.partition("==")[0] for p in PACKAGES))
CPU = (  # not the defaults; pin_memory and workers are slow on a CPU
    "trainer_strategy=cpu",
    "trainer.num_sanity_val_steps=0",
    "num_dataset_workers=1",
    "num_dataloader_workers=0",
    "dataloader_prefetch_factor=null",
    "dataloader_pin_memory=false",
    "trainer.check_val_every_n_epoch=1000",
)


def environment(place: Path) -> Path:
    """The command folder of the peer's virtual environment, which is created on first use."""
    made, ready = place / "peer", place / "peer" / "ready"
    commands = made / ("Scripts" if os.name == "nt" else "bin")
    if not ready.exists():
        place.joinpath("constraints.txt").write_text(TORCH + "\n")
        pip = [commands / "python", "-m", "pip", "install", "-q", "-c", "constraints.txt"]
        for words in ([sys.executable, "-m", "venv", made], [*pip, TORCH], [*pip, *PACKAGES]):
            subprocess.run(words, cwd=place, check=True)
        ready.touch()
    return commands


def versions(commands: Path) -> str:
    listed = [commands / "python", "-m", "pip", "list", "--format=json"]
    found = json.loads(subprocess.run(listed, check=True, capture_output=True).stdout)
    versions = {p["name"]: p["version"] for p in found}
    return ", ".join(f"{name} {versions[name]}" for name in SHOWN)


def settings() -> dict[str, str]:
    """Environment variables of a peer process."""
    path = os.pathsep.join(map(str, (HERE, HERE / "peer_side")))
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return surroundings(path) | offline


def write_data(place: Path) -> Path:
    """Writes our star_easy data to the path where the peer expects its own."""
    folder = place / "dhruveshpatel" / "star-small"
    folder.mkdir(parents=True, exist_ok=True)
    task = tasks.find("star_easy")
    for split, name in SPLITS.items():
        lines = [json.dumps(graph) + "\n" for graph in graphs(task.rows(split))]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    return folder / "test.jsonl"


def graphs(rows: Rows) -> list[dict]:
    """Rows with answers in nodes, in the peer's format."""
    found = []
    columns = (column.tolist() for column in rows[:4])
    for prompt, asked, answer, length in zip(*columns, strict=True):
        *edges, source, goal = prompt[:asked]
        pairs = [list(pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
        found.append({"edge_list": pairs, "source": source, "goal": goal, "path": answer[:length]})
    return found


def training(commands: Path, method: str, blocks: tuple[int, int], *more: str) -> list[str]:
    """The command line of the peer's training, with its own experiment at our sizes."""
    prompt, answer = blocks
    rotary = "+" if method == "ilm" else ""  # ILM's shipped config leaves this at the default, 64
    return [
        str(commands / "xlm"),
        "job_type=train",
        f"job_name={method}",
        f"experiment=star_easy_{method}",
        *CPU,
        f"model.d_model={WIDTH}",
        f"model.num_layers={LAYERS}",
        f"model.nhead={HEADS}",
        f"model.dropout={DROPOUT}",
        f"{rotary}model.rotary_emb_dim={WIDTH // HEADS}",
        f"per_device_batch_size={BATCH}",
        f"global_batch_size={BATCH}",
        f"input_block_size={prompt}",
        f"block_size={answer}",
        f"trainer.log_every_n_steps={EVERY}",
        "resume_from_checkpoint=false",
        *more,
    ]


def clocked(file: Path) -> list[str]:
    """Flags that write the end time of each step to a file."""
    return ["+callbacks.clock._target_=clock.Clock", f"+callbacks.clock.file={file}"]


def experiment(commands: Path, place: Path, name: str, more: str) -> list[str]:
    """The command line of a custom experiment: star_easy_arlm as shipped, with more lines."""
    find = "import arlm; print(arlm.__path__[0])"
    found = subprocess.run(
        [commands / "python", "-c", find], check=True, capture_output=True, text=True
    )
    shipped = Path(found.stdout.strip()) / "configs" / "experiment" / "star_easy_arlm.yaml"
    folder = place / "typos" / "experiment"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(shipped.read_text() + "\n" + more)
    xlm, *words = training(commands, "arlm", SHIPPED["arlm"])
    named = [f"experiment={name}" if w.startswith("experiment=") else w for w in words]
    return [xlm, "--config-dir", str(folder.parent), *named]
