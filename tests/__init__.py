from . import test_js, test_rights, test_ui
from .callbacks import *
from .calls import *
from .click_to_call import *
from .crm import *
from .history import *
from .inbox import *
from .insight import *
from .pbx import *
from .recordings import *
from .routing import *
from .screen import *
from .support import *
from .vpbx import *
