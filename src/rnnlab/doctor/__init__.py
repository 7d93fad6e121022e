"""The doctor: what is wrong with this training, and how sure are you? One check a function, each giving a Finding."""

from rnnlab.doctor.diagnose import diagnose
from rnnlab.doctor.examine import examine
from rnnlab.doctor.full import diagnose_run
from rnnlab.doctor.registry import RUN_CHECKS
from rnnlab.doctor.subject import EXPECTED, Subject
from rnnlab.doctor.table import CHECKS, Check

__all__ = ["CHECKS", "EXPECTED", "RUN_CHECKS", "Check", "Subject", "diagnose", "diagnose_run", "examine"]
