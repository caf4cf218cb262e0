from . import (
    mango_account,
    mango_event,
    mango_surprise,
)
