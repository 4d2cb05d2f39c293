"""The translator to the classes that bags are written with; what only talks to the graph does not load these."""

from alpamayo_ros.messages.translator import Translator
from alpamayo_ros.messages.typestore import message_class

BAG = Translator(message_class)
"""Translator to the classes that bags are written with."""
