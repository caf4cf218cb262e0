from . import (
    mango_account,
    mango_call,
    mango_command,
    mango_event,
    mango_self_test,
    mango_support_bundle,
    mango_support_export,
    mango_support_replay,
    mango_surprise,
)
