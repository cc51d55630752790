"""How good translations are, in scores. Importing the package fills the table of metrics.

The formulas are those of torchmetrics where it has them. It and torchvision are imported only when they are needed.
"""

from metrics import color_histogram as color_histogram
from metrics import inception_distances as inception_distances
from metrics import labels as labels
from metrics import perceptual as perceptual
from metrics import pixels as pixels
