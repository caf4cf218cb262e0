from . import bare, timed
