"""The generated world: diagnoses with findings that the core graph says support them, and bags that show them.

A case has a diagnosis, shows some of its findings, and its bag holds a few patches of each among others (stroma, fat,
blood, …) that say nothing. So the findings and the diagnosis can be read off the bag and nowhere else: the question is
the same for all cases.

The patches come from slides (:mod:`model.demo.slides`: drawn, tiled and encoded, with patches of a real slide among
them where one is given), or, without any picture, from a random prototype per finding with noise.

These are teaching data. The pairing of findings and diagnoses is real; the pictures are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datagen.slides import FeatureBag, write_bag
from model.data.samples import TrainingSample, write_samples
from model.demo.slides import TILE, PatchLibrary, patch_library
from pathkg.trajectory import Trajectory

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

FEATURE_DIM = 32
"""Of the prototypes; small on purpose. Real encoders give 512 to 2560."""

QUESTION = "What is the diagnosis?"

CLOSED_QUESTION = "Which diagnosis fits the slide?"


@dataclass(frozen=True, slots=True)
class Entity:
    """A diagnosis of the world: its name, its organ, and findings that support it in the core graph."""

    name: str
    organ: str
    findings: tuple[str, ...]


DIAGNOSES: tuple[Entity, ...] = (
    Entity("squamous cell carcinoma", "esophagus", ("keratin pearl", "dyskeratosis", "intercellular bridge")),
    Entity("melanoma", "skin", ("melanin pigment", "pagetoid spread", "macronucleolus")),
    Entity("leiomyoma", "uterus", ("cigar-shaped nucleus", "whorled pattern", "smooth muscle differentiation")),
    Entity("hepatocellular carcinoma", "liver", ("bile pigment", "Mallory-Denk body", "thickened hepatocyte plate")),
    Entity("invasive lobular carcinoma", "breast", ("single-file growth", "targetoid pattern",
                                                    "intracytoplasmic lumen")),
    Entity("schwannoma", "soft tissue", ("Antoni A area", "Antoni B area", "Verocay body")),
)
"""Every pair of diagnosis and finding is a ``supports`` edge of the core graph; a test holds this to it."""


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """How the world is drawn.

    Args:
        seed: same seed, same files.
        diagnoses: how many of :data:`DIAGNOSES`.
        shown: findings of its diagnosis that a case shows.
        patches: smallest and largest bag.
        copies: patches per shown finding.
        noise: standard deviation of a patch around its prototype, whose entries have standard deviation 1.
        distractors: kinds of patches that say nothing.
        closed_share: share of the cases that are asked as a multiple choice.
        slides: patches from slides instead of prototypes (``noise`` and ``distractors`` then say nothing).
        real_slide: a slide whose patches join those that say nothing.
        careless: share of the training cases whose trajectory is written carelessly, see :func:`careless`.
    """

    seed: int = 0
    diagnoses: int = len(DIAGNOSES)
    shown: int = 2
    patches: tuple[int, int] = (12, 24)
    copies: int = 3
    noise: float = 0.25
    distractors: int = 4
    closed_share: float = 0.0
    slides: bool = False
    real_slide: str = ""
    careless: float = 0.0


def trajectory_of(diagnosis: Entity, shown: Sequence[str], absent: tuple[str, str] | None) -> Trajectory:
    """The reference trajectory of a case.

    Example:
        >>> print(trajectory_of(DIAGNOSES[1], ["melanin pigment"], None).steps[0])
        Melanin pigment supports melanoma.
    """
    seen = f"Findings: {', '.join(shown)}."
    steps = [f"{_capital(finding)} supports {diagnosis.name}." for finding in shown]
    if absent is not None:
        finding, other = absent
        seen += f" No {finding} is seen."
        steps.append(f"The absence of {finding} argues against {other}.")
    return Trajectory(seen, tuple(steps), f"{_capital(diagnosis.name)}.")


def careless(trajectory: Trajectory) -> Trajectory:
    """The trajectory as a hurried writer leaves it: one finding, one step, and the other dialect's tag.

    Training data are of uneven quality; what SFT copies from them is what GRPO's rewards can put right.

    Example:
        >>> careless(Trajectory("Findings: a, b. No c is seen.", ("A.", "B."), "D.")).render()
        '<info>\\nFindings: a.\\n</info>\\n\\n<think>\\n1. A.\\n</think>\\n\\n<answer>\\nD.\\n</answer>'
    """
    return Trajectory(trajectory.observe.split(",")[0].split(".")[0] + ".", trajectory.steps[:1], trajectory.answer, "info")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


class World:
    """Patches and cases; everything follows from the settings.

    Args:
        settings: how the world is drawn.
        folder: keeps the drawn slides and their features; needed with ``settings.slides``.
        encoder: patch encoder of the slides; the built-in one when ``None``.
    """

    def __init__(self, settings: WorldSettings | None = None, folder: Path | None = None, encoder: Any = None) -> None:
        self.settings = settings or WorldSettings()
        self._libraries: dict[str, PatchLibrary] = {}
        self._folder = folder
        self._encoder = encoder
        self.diagnoses = DIAGNOSES[:self.settings.diagnoses]
        rng = np.random.default_rng([self.settings.seed, 1])
        self.findings = [finding for d in self.diagnoses for finding in d.findings]
        self.prototypes = {name: rng.normal(size=FEATURE_DIM) for name in self.findings}
        self.distractors = rng.normal(size=(self.settings.distractors, FEATURE_DIM))

    def library(self, split: str) -> PatchLibrary:
        """The encoded patches of a split; only training has its own, the held-back splits share theirs."""
        which = split if split == "train" else "held-back"
        if which not in self._libraries:
            if self._folder is None:
                raise ValueError("a world of slides needs a folder to keep them in")
            self._libraries[which] = patch_library(self._folder, self.findings, which, seed=self.settings.seed,
                                                   real_slide=self.settings.real_slide, encoder=self._encoder)
        return self._libraries[which]

    def _rows(self, shown: Sequence[str], n: int, split: str, rng: Generator) -> NDArray[np.float64]:
        """Patches of the findings, then of the rest, ``n`` in all (or as many as the findings need and one)."""
        copies = self.settings.copies
        others = max(1, n - copies * len(shown))
        if self.settings.slides:
            patches = self.library(split)
            telling = [patches.findings[f][rng.choice(len(patches.findings[f]), size=copies, replace=False)] for f in shown]
            rows: NDArray[np.float64] = np.concatenate([*telling, patches.rest[rng.integers(len(patches.rest), size=others)]])
            return rows
        drawn = np.concatenate([np.stack([self.prototypes[f] for f in shown for _ in range(copies)]),
                                self.distractors[rng.integers(len(self.distractors), size=others)]])
        noisy: NDArray[np.float64] = drawn + rng.normal(scale=self.settings.noise, size=drawn.shape)
        return noisy

    def bag(self, shown: Sequence[str], rng: Generator, name: str, split: str = "train") -> FeatureBag:
        """A bag that shows ``shown``."""
        low, high = self.settings.patches
        rows = self._rows(shown, int(rng.integers(low, high + 1)), split, rng)
        side = int(np.ceil(np.sqrt(2 * len(rows))))
        cells = rng.choice(side * side, size=len(rows), replace=False)
        size = TILE if self.settings.slides else 256
        coords = np.stack([cells % side, cells // side], axis=1) * 2 * size
        return FeatureBag(features=rows[rng.permutation(len(rows))], coords=coords,
                          encoder=self.library(split).encoder if self.settings.slides else "generated",
                          slide=name, tile_size=size, tile_size_level0=2 * size, magnification=20.0,
                          level0_magnification=40.0)

    def case(self, number: int, split: str) -> tuple[TrainingSample, FeatureBag]:
        """Case ``number`` of a split: the sample (its image a relative path) and its bag."""
        rng = np.random.default_rng([self.settings.seed, 2, *split.encode(), number])
        which = number % len(self.diagnoses)
        diagnosis = self.diagnoses[which]
        order = rng.permutation(len(diagnosis.findings))[:self.settings.shown]
        shown = [diagnosis.findings[i] for i in sorted(order)]
        # the differential follows from the diagnosis, so that nothing in the text has to be guessed
        other = self.diagnoses[(which + 1) % len(self.diagnoses)]
        absent = (other.findings[0], other.name)
        name = f"{split}-{number:04d}"
        closed = rng.random() < self.settings.closed_share
        options = tuple(self.diagnoses[i].name for i in rng.permutation(len(self.diagnoses))[:4]) if closed else ()
        if closed and diagnosis.name not in options:
            options = (*options[:-1], diagnosis.name)
        sample = TrainingSample(
            id=name, image=f"bags/{name}.h5", question=CLOSED_QUESTION if closed else QUESTION,
            answer=diagnosis.name, text=trajectory_of(diagnosis, shown, absent).render(),
            caption=f"The slide shows {', '.join(shown)}.", options=options,
            question_kind="closed diagnosis" if closed else "diagnosis", organ=diagnosis.organ,
            patient=f"P{number:04d}", report=f"The slide shows {', '.join(shown)}. No {absent[0]} is seen. "
                                             f"Diagnosis: {diagnosis.name}.")
        return sample, self.bag(shown, rng, name, split)


def hurried(settings: WorldSettings, number: int) -> bool:
    """Whether training case ``number`` is written carelessly."""
    return bool(np.random.default_rng([settings.seed, 4, number]).random() < settings.careless)


def write_world(folder: str | Path, *, train: int = 240, validation: int = 48, test: int = 60,
                settings: WorldSettings | None = None, graph: Any = None, encoder: Any = None) -> dict[str, Path]:
    """Write bags and ``train.jsonl``, ``validation.jsonl``, ``test.jsonl`` under ``folder``.

    Args:
        folder: also gets the slides, if there are any.
        train: cases of this split.
        validation: likewise.
        test: likewise.
        settings: how the world is drawn.
        graph: the bundled core graph when ``None``.
        encoder: see :class:`World`.

    Returns:
        The three files, by split.
    """
    from pathkg import load
    from pathkg.rewards import build_reference

    root = Path(folder)
    world = World(settings, root / "slides", encoder)
    graph = graph if graph is not None else load()
    files = {}
    for split, count in (("train", train), ("validation", validation), ("test", test)):
        samples = []
        for number in range(count):
            sample, bag = world.case(number, split)
            write_bag(root / sample.image, bag)
            reference = build_reference(sample.trajectory, graph=graph).to_json()
            text = sample.text
            # the reference stays whole: it says what a careful writer would have written
            if split == "train" and hurried(world.settings, number):
                text = careless(sample.trajectory).render()
            samples.append(replace(sample, text=text, reference=reference, graph_hash=graph.hash))
        files[split] = write_samples(root / f"{split}.jsonl", samples)
    return files
