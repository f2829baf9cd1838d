"""An editor, as far as a test needs one: it speaks to yaml-language-server over stdio."""

import json
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any

CURSOR = "‸"
CAN = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    },
    "workspace": {"configuration": True},
}
SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
SECONDS = 120  # of a server
KINDS = {10: "key", 12: "value"}  # of completions; others fill in several lines at once


@dataclass(frozen=True)
class Offer:
    """A line of a completion list."""

    label: str
    kind: str
    told: str  # beside the list, while the line is corrupted


class Editor:
    """One server, and files in a folder. A text may hold a cursor, `‸`."""

    def __init__(self, server: Path, folder: Path):
        self.folder, self.numbers, self.underlined = folder, count(1), dict[str, list[dict]]()
        command = ["node", server, "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.limit = Timer(SECONDS, self.process.kill)  # a server that is silent fails the tests
        self.limit.daemon = True
        self.limit.start()
        self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities=CAN)
        self.tell("initialized")

    def close(self) -> None:
        self.ask("shutdown")
        self.tell("exit")
        self.process.communicate()
        self.limit.cancel()

    def completions(self, text: str) -> list[Offer]:
        """The list that opens at the cursor."""
        items = self.at_cursor("completion", text)["items"]
        return [
            Offer(i["label"], KINDS[i["kind"]], shown(i.get("documentation")))
            for i in items
            if i["kind"] in KINDS
        ]

    def hover(self, text: str) -> str:
        """What is shown for the word at the cursor."""
        return shown((self.at_cursor("hover", text) or {}).get("contents"))

    def problems(self, *texts: str) -> list[list[tuple[str, str]]]:
        """What is underlined in each text, and what is told of it."""
        files = [self.open(text) for text in texts]
        while not set(files) <= set(self.underlined):
            self.read()
        return [
            [(within(text, p["range"]), p["message"]) for p in self.underlined[file]]
            for file, text in zip(files, texts, strict=True)
        ]

    def at_cursor(self, what: str, text: str) -> Any:
        before, cursor, after = text.partition(CURSOR)
        assert cursor, text
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        file = self.open(before + after)
        return self.ask(f"textDocument/{what}", textDocument={"uri": file}, position=place)

    def open(self, text: str) -> str:
        file = (self.folder / f"spec_{next(self.numbers)}.yaml").as_uri()
        document = {"uri": file, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        return file

    # ---- messages (Language Server Protocol) -----------------------------------------------------

    def ask(self, method: str, **params: Any) -> Any:
        number = next(self.numbers)
        self.write({"id": number, "method": method, "params": params})
        while (answer := self.read()).get("id") != number or "method" in answer:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def tell(self, method: str, **params: Any) -> None:
        self.write({"method": method, "params": params})

    def read(self) -> dict:
        """The next message. What the server asks is answered; what it underlines is kept."""
        length = 0
        while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b": ")
            length = int(value) if name == b"Content-Length" else length
        assert length, "the server has ended"
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.underlined[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif message.get("method") == "workspace/configuration":
            asked = [i["section"] for i in message["params"]["items"]]
            result = [SETTINGS if section == "yaml" else {} for section in asked]
            self.write({"id": message["id"], "result": result})
        elif "method" in message and "id" in message:
            self.write({"id": message["id"], "result": None})
        return message

    def write(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()


def shown(content: dict | str | None) -> str:
    return content["value"] if isinstance(content, dict) else content or ""


def within(text: str, span: dict) -> str:
    """The words of a text that stand in a range within one line."""
    start, end = span["start"], span["end"]
    return text.splitlines()[start["line"]][start["character"] : end["character"]]
