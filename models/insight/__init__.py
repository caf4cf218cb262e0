from . import (
    digest_digest,
    mango_account,
    mango_call_report,
)
