"""A page in the browser, and addresses for programs, that translate images with trained runs.

``server`` listens, and ``application`` puts it together. ``service`` does the work, with ``runs``, ``work_queue``,
``uploads`` and ``store``, and knows nothing of the web. ``guard`` keeps strangers and large requests out. ``rest``
serves programs, ``layout`` and what it imports the page.
"""
