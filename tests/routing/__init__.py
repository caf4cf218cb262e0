from . import (
    test_reroute,
    test_route_command,
    test_route_decision,
    test_route_plan,
    test_routing,
)
