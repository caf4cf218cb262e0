from . import (
    crm_lead,
    mango_account,
    mango_call,
    mango_client_lead,
    mango_crm_task,
    mango_line,
    mango_source_report,
    visitor_query,
)
