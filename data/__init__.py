"""What is fed. Importing the package fills the table of data sets: a new one is a file and a line here."""

from data import aligned_dataset as aligned_dataset
from data import colorization_dataset as colorization_dataset
from data import single_dataset as single_dataset
from data import template_dataset as template_dataset
from data import unaligned_dataset as unaligned_dataset
from data import webdataset_dataset as webdataset_dataset
