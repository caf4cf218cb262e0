from . import (
    mango_account,
    mango_call,
    mango_command,
    res_users,
)
