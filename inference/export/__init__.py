"""Trained generators as files for other programs: ONNX, TorchScript, torch.export, safetensors, a page for the browser.

``portable`` makes of a generator what exporters understand, ``formats`` says how each kind of file is written and read
again, ``check`` compares what was read with PyTorch, and ``writing`` puts the three together.
"""
