"""Mazes: find a shortest path between two cells of a grid.

A maze is a uniform spanning tree of the cells of a `side` x `side` grid (Wilson 1996), with `loops`
more openings between neighbours. The prompt is the cells row by row, each with its openings to the
right and below (`0,2-` none, `0,2>` right, `0,2v` below, `0,2+` both), then the start and the goal;
the answer is the cells of a path from the start to the goal. A cell is called by row and column,
`0,2`. With loops there can be several shortest paths, of which the data have one at random.
`valid_path`: the answer starts and ends right and each step goes through an opening; `shortest`: it
also has the length of a shortest path. The optimum of both is 1.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.tasks.generated import Example, Generated, share
from xlm_spec.runtime.tasks.task import ACCURACY, Metric

OPENINGS = ("-", ">", "v", "+")  # bit 0: to the right, bit 1: below
Edge = tuple[int, int]  # a cell and a greater one


@dataclass(frozen=True)
class Options:
    """Options of the maze.

    Also known as:
        side: size, grid_size
    """

    side: int = 4  # cells of a row; in [2, 20]
    loops: int = 0  # openings besides those of a tree; in [0, inf)
    shortest: int = 3  # cells of the shortest answers; in [2, inf)
    examples: int = 20_000  # mazes for training; in [1, inf)
    seed: int = 42  # seed of the mazes


@dataclass(frozen=True)
class Maze(Generated):
    """Mazes; cell c has the id 4 c + openings with its openings, and 4 side^2 + c without."""

    options: Options = Options()
    name = "maze"

    def require(self) -> None:
        o = self.options
        most = (o.side - 1) ** 2
        if o.loops > most:
            message = f"data.loops = {o.loops}: a maze of side {o.side} takes at most {most} more"
            raise Failed(Diagnostic("X506", f"{message} openings", "use a larger data.side"))
        if o.shortest > o.side**2:
            message = f"data.shortest = {o.shortest}: a maze of side {o.side} has {o.side**2} cells"
            raise Failed(Diagnostic("X506", message, "use a larger data.side"))

    @property
    def tokenizer(self) -> WordTokenizer:
        side = self.options.side
        cells = [f"{r},{c}" for r in range(side) for c in range(side)]
        return WordTokenizer((*(f"{c}{o}" for c in cells for o in OPENINGS), *cells))

    @property
    def longest_prompt(self) -> int:
        return self.options.side**2 + 2

    @property
    def longest_answer(self) -> int:
        return self.options.side**2

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY | {"valid_path": share(is_path), "shortest": share(is_shortest)}

    def key(self, example: Example) -> Hashable:
        """Start and goal may be exchanged."""
        *cells, start, goal = example[0]
        return (*cells, *sorted((start, goal)))

    def draw(self, seed: int, n: int) -> list[Example]:
        rng = Random(seed)
        found = (self.drawn_maze(rng) for _ in range(n))
        return [(p, a) for p, a in found if len(a) >= self.options.shortest]

    def drawn_maze(self, rng: Random) -> Example:
        side = self.options.side
        edges = tree(side, rng)
        others = sorted({*grid_edges(side)} - edges)
        edges |= {*rng.sample(others, self.options.loops)}
        openings = [0] * side**2
        for a, b in edges:
            openings[a] |= 1 if b == a + 1 else 2
        start, goal = rng.sample(range(side**2), 2)
        path = shortest_path(passages(openings), start, goal, rng)
        cells = [len(OPENINGS) * c + bits for c, bits in enumerate(openings)]
        first = len(OPENINGS) * side**2
        return [*cells, first + start, first + goal], [first + cell for cell in path]


def grid_edges(side: int) -> list[Edge]:
    """The pairs of neighbours; side > 1."""
    cells = range(side**2)
    right = [(c, c + 1) for c in cells if (c + 1) % side]
    return right + [(c, c + side) for c in cells if c + side < side**2]


def tree(side: int, rng: Random) -> set[Edge]:
    """A uniform spanning tree of the grid: loop-erased random walks until they meet it."""
    near: list[list[int]] = [[] for _ in range(side**2)]
    for a, b in grid_edges(side):
        near[a].append(b)
        near[b].append(a)
    inside = {rng.randrange(side**2)}
    found = set[Edge]()
    for cell in range(side**2):
        after, at = dict[int, int](), cell
        while at not in inside:
            after[at] = rng.choice(near[at])  # a later visit replaces an earlier one
            at = after[at]
        at = cell
        while at not in inside:
            inside.add(at)
            found.add((min(at, after[at]), max(at, after[at])))
            at = after[at]
    return found


def passages(openings: list[int]) -> list[list[int]]:
    """The cells that each cell of a maze is open to."""
    side = round(len(openings) ** 0.5)
    out: list[list[int]] = [[] for _ in openings]
    for cell, bits in enumerate(openings):
        for bit, other in ((1, cell + 1), (2, cell + side)):
            if bits & bit:
                out[cell].append(other)
                out[other].append(cell)
    return out


def shortest_path(open_to: list[list[int]], start: int, goal: int, rng: Random) -> list[int]:
    """A shortest path, by breadth; of several, one at random (not uniformly)."""
    before, cells = {start: start}, [start]
    for cell in cells:
        for other in rng.sample(open_to[cell], len(open_to[cell])):
            if other not in before:
                before[other] = cell
                cells.append(other)
    path = [goal]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def parts(prompt: list[int]) -> tuple[list[list[int]], int, int]:
    """The passages of a maze, its start and its goal."""
    *cells, start, goal = prompt
    first = len(OPENINGS) * len(cells)
    return passages([c % len(OPENINGS) for c in cells]), start - first, goal - first


def is_path(prompt: list[int], answer: list[int]) -> bool:
    """Does an answer lead from the start to the goal through openings?"""
    open_to, start, goal = parts(prompt)
    path = [a - len(OPENINGS) * len(open_to) for a in answer]
    if not path or any(cell not in range(len(open_to)) for cell in path):
        return False
    steps = all(b in open_to[a] for a, b in pairwise(path))
    return steps and (path[0], path[-1]) == (start, goal)


def is_shortest(prompt: list[int], answer: list[int]) -> bool:
    """Is an answer a shortest path?"""
    best = shortest_path(*parts(prompt), Random(0))
    return len(answer) == len(best) and is_path(prompt, answer)


TASK = Maze()
