from . import (
    test_blocking,
    test_chatter,
    test_crm_tour,
    test_lead_rules,
    test_leads,
    test_outcomes,
    test_sources,
)
