from . import (
    mango_account,
    mango_command,
    mango_event,
    mango_surprise,
)
