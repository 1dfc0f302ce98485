"""Pretrained: loaded models that are saved as weights, read from the Hugging Face cache, and pushed to the Hub."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import torch
from torch import nn

from motiongen import checkpoint, heads
from motiongen.heads.spec import HeadSpec, Kind
from motiongen.inference.weight_sets import ABOUT
from motiongen.training.model_card import Task, with_front_matter

if TYPE_CHECKING:
    from huggingface_hub import ModelCard

USE = {
    "words": 'motiongen.generate("a person bows", head="{head}", weights="{weights}").save("bow.glb")',
    "music": 'motiongen.dance("song.wav", weights="{weights}").save("dance.glb")',
    "policy": 'motiongen.load("{head}", "{weights}").predict(observation)',
}
"""Kind of a head -> the line of Python that a card shows."""


class Pretrained(ABC):
    """A loaded model: `from_pretrained`, `save_pretrained` and `push_to_hub`, as the Hub's other libraries have them.

    What is saved is a set of weights, which `load` and the command line read too. Loading is strict
    (`motiongen.checkpoint`) and never uses the network. The Hub's library is imported only to push or to write a card.
    """

    kind: ClassVar[Kind]
    head: Any
    about: Mapping[str, Any]
    folder: Path | None

    @property
    def spec(self) -> HeadSpec:
        """Registry entry of the head."""
        return heads.lookup(self.head.model_type, self.kind)

    @property
    def licence(self) -> str:
        """Licence of the weights, and so of the motion that they make; empty where it is not known."""
        return str(self.about.get("licence", ""))

    @abstractmethod
    def _modules(self) -> dict[str, tuple[nn.Module, Task]]:
        """Return folder within the set -> the module that lies there, and its task."""

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        head: str | None = None,
        space: str | None = None,
        device: str = "auto",
        **options: Any,
    ) -> Self:
        """Return the model of a set of weights; the same object as `motiongen.load` gives.

        Args:
            pretrained_model_name_or_path: a shipped set, a folder, or OWNER/NAME in the Hugging Face cache.
            revision: branch, tag or commit of OWNER/NAME; None for the main branch.
            head: name of the head; None for the first one of this kind in the set.
            space: for a head with spaces, one of them; None for the first one in the set.
            device: "cpu", "cuda", or "auto" for CUDA if available.
            options: others of the Hub's libraries; those that ask for a download are refused.

        Raises:
            ValueError: weights that are not on this machine (the message says how to download them), are damaged, or
                hold no head of this kind.
        """
        if options.get("force_download") or not options.get("local_files_only", True):
            raise ValueError(
                "from_pretrained: expected weights on this machine, got an order to download them; "
                f"run `hf download {pretrained_model_name_or_path}` first"
            )
        from motiongen.inference import load

        weights = str(pretrained_model_name_or_path) + ("" if revision is None else f"@{revision}")
        name = load.only_head(weights, cls.kind) if head is None else heads.lookup(head, cls.kind).name
        return cast(Self, load.load(name, weights, device, space=space))

    def save_pretrained(
        self, save_directory: str | Path, *, model_card_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Write the set of weights to a folder, which is created if missing, with a card where it has none.

        Args:
            save_directory: destination folder.
            model_card_kwargs: of `generate_model_card`.
        """
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self._save_pretrained(folder)
        if not (folder / checkpoint.CARD).exists():
            self.generate_model_card(**(model_card_kwargs or {})).save(folder / checkpoint.CARD)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        token: str | None = None,
        private: bool | None = None,
        branch: str | None = None,
        commit_message: str = "Push motiongen weights",
        model_card_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> str:
        """Upload what `save_pretrained` writes to a repository of the Hub, and return the URL of the commit.

        Args:
            repo_id: OWNER/NAME; the repository is made if it does not exist.
            token: of the Hub; None for the one that `hf auth login` keeps.
            private: whether a new repository is private; None for what the Hub does.
            branch: None for the main branch.
            commit_message: of the commit.
            model_card_kwargs: of `generate_model_card`.
            options: others of `huggingface_hub.HfApi.upload_folder`: create_pr, allow_patterns, delete_patterns …
        """
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        repo_id = api.create_repo(repo_id=repo_id, private=private, exist_ok=True).repo_id
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder, model_card_kwargs={"repo_id": repo_id, **(model_card_kwargs or {})})
            uploaded = api.upload_folder(
                repo_id=repo_id,
                folder_path=folder,
                commit_message=commit_message,
                revision=branch,
                **options,
            )
        return str(uploaded)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write every module to its folder with its card, and about.json."""
        for place, (module, task) in self._modules().items():
            card = self._card_of(place, module, task)
            checkpoint.save(module, module.config, save_directory / place, card, half=_fits_half(module))
        facts = {key: value for key, value in self.about.items() if key != "name"}
        if facts:
            checkpoint.write_json(save_directory / ABOUT, facts)

    def generate_model_card(self, *, repo_id: str = "OWNER/NAME") -> "ModelCard":
        """Return the card of the whole set, whose example loads it by the name `repo_id`."""
        from huggingface_hub import ModelCard

        weights = repo_id
        data, licence = self.about.get("data", ()), self.about.get("licence", "")
        lines = [
            f"# {self.about.get('name', self.spec.name)}",
            "",
            f"{self.spec.name}: {self.spec.summary}.",
            "",
        ]
        lines += [f"- licence: {licence}"] if licence else []
        lines += ["- data:", *(f"  - {item}" for item in data)] if data else []
        for key in ("contents", "styles"):
            if known := ", ".join(self.about.get(key, ())):
                lines.append(f"- {key}: {known}")
        use = USE[self.kind].format(head=self.spec.name, weights=weights)
        lines += ["", f"After `hf download {weights}`:", "", "```python", "import motiongen", "", use, "```"]
        return ModelCard(with_front_matter("\n".join(lines) + "\n", self.kind))

    def _card_of(self, place: str, module: nn.Module, task: Task) -> str:
        """Return the card that a module was loaded with, or a title alone."""
        path = None if self.folder is None else self.folder / place / checkpoint.CARD
        found = path is not None and path.is_file()
        card = (
            path.read_text(encoding="utf-8") if path is not None and found else f"# {type(module).__name__}\n"
        )
        return with_front_matter(card, task, str(self.about.get("licence", "")))


def _fits_half(module: nn.Module) -> bool:
    """Return whether fp16 represents every matrix exactly, as for weights that were loaded from fp16."""
    matrices = (t for t in module.state_dict().values() if t.is_floating_point() and t.ndim >= 2)
    return all(torch.equal(matrix, matrix.half().to(matrix)) for matrix in matrices)
