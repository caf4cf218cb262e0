from . import mango_office
