from . import (
    mango_account,
    mango_call,
    mango_event,
    mango_route_slot,
    mango_router,
)
