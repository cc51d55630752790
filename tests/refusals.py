"""Commands that must end in one sentence, and the flags that the tests of them share."""

import re
import subprocess
import sys

from tests.conftest import PROJECT, Finished

RESNET, UNET = ("--netG", "resnet_1blocks"), ("--model", "pix2pix", "--netG", "unet_32")


def refused(result: Finished, *words: str) -> str:
    """Check that a command ended in one sentence with these words (regular expressions), and return it."""
    assert result.code == 2, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    sentence = result.stderr.strip().splitlines()[-1]
    assert re.match(r"\w+\.py: error: ", sentence)
    for word in words:
        assert re.search(word, sentence), f"{word!r} is not in: {sentence}"
    return sentence


def in_a_process(program: str, argv: list[object]) -> Finished:
    """Do as ``run_cli``, in a process of its own."""
    command = [sys.executable, PROJECT / f"{program}.py", *argv, "--gpu_ids", -1]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)
