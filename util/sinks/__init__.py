"""Where a run's numbers and images go: one small class per destination, one ``Recorder`` in front.

A new sink is a file with a ``Sink`` (see ``base``) and a line in ``build``; if it has a flag, a line in ``LogOptions``.
``metrics.jsonl`` is the truth; a dashboard is a view of it.
"""
