"""Logs the end time of each training step of the peer's trainer."""

import time

from lightning.pytorch.callbacks import Callback


class Clock(Callback):
    def __init__(self, file: str):
        self.file = file

    def on_train_batch_end(self, *args) -> None:
        with open(self.file, "a") as out:
            out.write(f"{time.time()}\n")
