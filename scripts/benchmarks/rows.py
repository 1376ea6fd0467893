"""The rows: what is timed, for ferryfs and for each rival. A side is a name and a function that returns seconds."""
from . import local, remote

ALL = local.ROWS + remote.ROWS
