"""Measure a trained run on a data set, or a folder of images against real ones, and write down what came of it."""

from inference.evaluating.of_folder import evaluate_folder as evaluate_folder
from inference.evaluating.of_run import RunEvaluation as RunEvaluation
from inference.evaluating.of_run import evaluate_run as evaluate_run
from inference.evaluating.of_run import find_run as find_run
from inference.evaluating.result import METRICS_JSON as METRICS_JSON
from inference.evaluating.result import Evaluated as Evaluated
