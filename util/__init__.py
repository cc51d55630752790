"""What surrounds a training: checkpoints, progress, run folder, image pool, images, sinks."""
