"""The live dashboard: a Visdom server for this machine, and the files that its page needs."""
