"""The doctor: what is wrong with this training, and how sure are you? One check a function, each giving a Finding."""

from rnnlab.doctor.diagnose import diagnose
from rnnlab.doctor.registry import CHECKS, Check
from rnnlab.doctor.subject import Subject

__all__ = ["CHECKS", "Check", "Subject", "diagnose"]
