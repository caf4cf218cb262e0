from . import (
    mango_account,
    mango_call,
    mango_client_lead,
    mango_crm_task,
    mango_line,
)
