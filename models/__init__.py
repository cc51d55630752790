"""What is optimised. Importing the package fills the table of models: a new one is a file and a line here."""

from models import colorization_model as colorization_model
from models import cut_model as cut_model
from models import cycle_gan_model as cycle_gan_model
from models import pix2pix_model as pix2pix_model
from models import single_side_model as single_side_model
from models import template_model as template_model
