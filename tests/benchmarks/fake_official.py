"""A folder that answers like the official code as far as a benchmark asks; it learns nothing."""

from pathlib import Path

OPTIONS = """
import sys
from pathlib import Path
from types import SimpleNamespace

class {kind}Options:
    def parse(self):
        words = sys.argv
        folder = words[words.index("--checkpoints_dir") + 1]
        (Path(folder) / "run").mkdir()
        return SimpleNamespace(checkpoints_dir=folder, name="run", epoch="latest", eval=False)
"""

MODEL = """
from pathlib import Path
from torch import nn

class Model:
    def __init__(self, opt):
        self.netG, self.opt, self.A = nn.Conv2d(3, 3, 3, padding=1), opt, None

    def setup(self, opt):
        self.saved = (Path(opt.checkpoints_dir) / opt.name / "latest_net_G.pth").exists()

    def set_input(self, batch):
        self.A = batch["A"]

    def optimize_parameters(self):
        self.netG(self.A).mean().backward()

    def test(self):
        assert self.saved, "test.py finds weights in a file"
        self.fake = self.netG(self.A)

    def get_current_visuals(self):
        return {"real": self.A, "fake": self.fake}

create_model = Model
"""

TRAIN = """
import wandb
print("The number of training images = 6")
for epoch in (1, 2, 3):
    print(f"End of epoch {epoch} / 3 \\t Time Taken: 0 sec")
"""


def write_official(folder: Path) -> Path:
    """Write its files and return the folder."""
    files = {
        "options/__init__.py": "",
        "options/train_options.py": OPTIONS.format(kind="Train"),
        "options/test_options.py": OPTIONS.format(kind="Test"),
        "models/__init__.py": MODEL,
        "models/networks.py": "",
        "train.py": TRAIN,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
