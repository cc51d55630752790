"""What surrounds a training, and nothing of what is learned.

A run and its program: ``run`` (start and end of a program), ``run_folder``, ``run_lock``, ``log``, ``stop`` (signals),
``progress`` (counters), ``step_trace``. Processes and the machine: ``distributed``, ``gradient_sum``, ``device``,
``machine``, ``determinism``. Files: ``files`` (whole or not at all), ``checkpoint``, ``safetensors_file``,
``npm_package``; ``raster`` reads and writes images of any depth. Images and web pages: ``images``, ``sheet``,
``color``, ``reflection``, ``html_page``, ``results``. What a training tells: ``sinks`` (where it goes), ``curves``
(what the numbers mean), ``plot`` and ``dashboard`` (how they are shown). ``registry`` finds things by name.
"""
