"""What ``./dev`` runs. Nothing in the addon imports it, and it imports no addon code."""
