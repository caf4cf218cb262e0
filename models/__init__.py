# isort: off
# A folder is imported after those that it extends.
from . import pbx
from . import inbox
from . import calls
from . import routing
from . import click_to_call
from . import screen
from . import recordings
from . import history
from . import callbacks
from . import crm
from . import insight
from . import support
