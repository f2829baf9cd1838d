"""Random faults while packages are trained, resumed, evaluated and compared.

python -m benchmarks.soak --minutes 60 [--seed 0]

Each history trains `mdlm` for STEPS steps in one or two processes, or compares it, on its own file
system. Faults (SIGKILL, SIGTERM, SIGINT, a full disk, a disk that becomes read-only) occur at
random moments, and the command is started again until it finishes. After each start it checks that

- the exit code is 0 if and only if the command finished its work;
- every end except by SIGKILL is explained by a message, without a traceback;
- no process is left, and every checkpoint can be loaded;
- the final weights equal those of an undisturbed run, bit for bit.

Requires Linux and the permission to mount tmpfs (root).
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from benchmarks.runs import build, workplace
from xlm_spec.workbench.machine import machine

STEPS = 60
SETS = ["backbone.layers=1", "backbone.width=16", "backbone.heads=2", "train.batch=16"]
SETS += ["train.evaluate_every=10", "train.sample_examples=2", "train.log_every=5"]
COMMON = [
    "--task",
    "star_mini",
    "--size",
    "cpu",
    *(w for s in SETS for w in ("--set", s)),
    "--steps",
    str(STEPS),
]
FAULTS = ("SIGKILL", "SIGTERM", "SIGINT", "full disk", "read-only disk", "none")
ROOM, LITTLE = "64m", ("64k", "300k", "1m")


class Soak:
    """The histories and their problems."""

    def __init__(self, place: Path, seed: int):
        self.place, self.random = place, random.Random(seed)
        self.count: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.expected = {n: self.undisturbed(n) for n in (1, 2)}

    def undisturbed(self, devices: int) -> str:
        run = self.place / f"undisturbed-{devices}"
        done = self.start(self.training(run, devices)).wait()
        assert done == 0, "the reference run failed"
        return weights(run)

    def training(self, run: Path, devices: int) -> list[str]:
        return ["mdlm", "train", *COMMON, "--devices", str(devices), "--run", str(run)]

    def start(self, words: list[str]) -> subprocess.Popen:
        self.log = self.place / "log.txt"
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.place / "mdlm",
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def history(self) -> None:
        """One run or comparison, from its first start until it finishes."""
        disk = self.place / "disk"
        disk.mkdir(exist_ok=True)
        mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk))
        try:
            kind = self.random.choice(["train", "train", "train", "compare"])
            devices = self.random.choice([1, 2]) if kind == "train" else 1
            run = disk / "run"
            for attempt in range(12):
                fault = self.random.choice(FAULTS) if attempt < 8 else "none"
                words = self.words(kind, run, devices)
                code = self.disturbed(words, fault, disk, quick=kind == "eval")
                finished = self.finished(kind, run)
                self.check(words, fault, code, finished, disk)
                if finished and code == 0:
                    break
            else:
                self.wrong.append(f"{kind}, {devices} devices: never finished\n{self.said()}")
                return
            self.compare_weights(kind, run, devices)
            if kind == "train":
                self.scored(run, disk)
            self.count[f"histories of {kind}, {devices} device(s)"] += 1
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=False)

    def words(self, kind: str, run: Path, devices: int) -> list[str]:
        if kind == "compare":
            spec = self.place / "mdlm" / "spec.yaml"
            return ["xlm_spec", "compare", str(spec), *COMMON, "--out", str(run)]
        if (run / "config.yaml").exists():
            words = ["mdlm", "train", "--run", str(run), "--resume"]
            return [*words, "--devices", str(devices)]
        return self.training(run, devices)

    def disturbed(self, words: list[str], fault: str, disk: Path, quick: bool) -> int:
        """Starts a command, lets a fault happen, and returns the exit code."""
        if fault == "full disk":
            used = shutil.disk_usage(disk).used // 1024
            extra = {"64k": 64, "300k": 300, "1m": 1024}[self.random.choice(LITTLE)]
            remount(disk, f"size={used + extra}k")
        process = self.start(words)
        moment = self.random.uniform(0.2, 3 if quick else 9)
        self.count[f"faults: {fault}"] += fault != "none"
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            if fault.startswith("SIG"):
                group = self.random.choice([True, False])  # a terminal, or `kill PID`
                send = os.killpg if group else os.kill
                send(process.pid, getattr(signal, fault))
            if fault == "read-only disk":
                read_only(disk)
        try:
            code = process.wait(120)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{' '.join(words[:2])} hangs after {fault}\n{self.said()}")
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        self.gone(process.pid, fault)
        remount(disk, f"rw,size={ROOM}")
        return code

    def gone(self, group: int, fault: str) -> None:
        """After SIGKILL of the first process alone the others notice within a minute."""
        for _ in range(600):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
        self.wrong.append(f"processes are left after {fault}\n{self.said()}")
        os.killpg(group, signal.SIGKILL)

    def finished(self, kind: str, run: Path) -> bool:
        if kind == "compare":
            return (run / "table.json").exists()
        last = run / "checkpoints" / "last.ckpt"
        return last.exists() and step_of(last) == STEPS

    def check(self, words: list[str], fault: str, code: int, finished: bool, disk: Path) -> None:
        """After each start."""
        self.count["starts"] += 1
        output, what = self.said(), f"{' '.join(words[:2])}, {fault}, exit {code}"
        if code == 0 and not finished:
            self.wrong.append(f"{what}: exit code 0 without finishing\n{output}")
        if code != 0 and fault == "none":
            self.wrong.append(f"{what}: failed undisturbed\n{output}")
        early = "_get_module_details" in output and "KeyboardInterrupt" in output
        if early and code == -signal.SIGINT:  # Python imports torch: no code of ours runs yet
            self.count["interrupted while torch was imported"] += 1
        elif "Traceback" in output:
            self.wrong.append(f"{what}: traceback\n{output}")
        silent = not any(
            w in output for w in ("error[X", "continue with --run", "interrupted", "Aborted")
        )
        if code > 0 and silent:
            self.wrong.append(f"{what}: no message\n{output}")
        for file in disk.rglob("*.ckpt"):
            try:
                step_of(file)
            except Exception as e:
                self.wrong.append(f"{what}: {file.name} cannot be loaded: {e}")

    def compare_weights(self, kind: str, run: Path, devices: int) -> None:
        found = [run] if kind == "train" else [f.parent for f in run.glob("runs/*/trained")]
        for folder in found:
            if weights(folder) != self.expected[devices]:
                self.wrong.append(f"{kind}, {devices} device(s): other weights than undisturbed")

    def scored(self, run: Path, disk: Path) -> None:
        """`eval` under a fault, then undisturbed."""
        words = ["mdlm", "eval", "--run", str(run), "--split", "val", "--sampler", "confidence"]
        for fault in (self.random.choice(FAULTS), "none"):
            code = self.disturbed([*words, "--json"], fault, disk, quick=True)
            self.check(words, fault, code, '"examples": 1000' in self.said(), disk)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def step_of(file: Path) -> int:
    return torch.load(file, weights_only=True, map_location="cpu")["global_step"]


def weights(run: Path) -> str:
    """sha256 of averaged and current weights."""
    found = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    digest = hashlib.sha256()
    for part in ("state_dict", "current_model_state"):
        for key, value in sorted(found.get(part, {}).items()):
            digest.update(key.encode() + value.numpy().tobytes())
    return digest.hexdigest()


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def remount(disk: Path, options: str) -> None:
    mount("-o", f"remount,{options}", str(disk))


def read_only(disk: Path) -> None:
    """Remounts read-only; without effect if a file is open for writing."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False, capture_output=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with workplace() as place:
        build(place, "mdlm")
        soak, begun = Soak(place, args.seed), time.monotonic()
        while time.monotonic() - begun < 60 * args.minutes:
            soak.history()
            print(f"{time.monotonic() - begun:.0f} s: {dict(soak.count)}", file=sys.stderr)
            for problem in soak.wrong:
                print(f"WRONG: {problem}", file=sys.stderr, flush=True)
            soak.count["wrong"] += len(soak.wrong)
            soak.wrong.clear()
    print(f"{args.minutes:g} minutes, seed {args.seed}; {machine(1)}")
    for what, n in sorted(soak.count.items()):
        print(f"{n:6}  {what}")
    return 1 if soak.count["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
