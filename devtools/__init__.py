"""What ``./dev`` runs. It does not import the addon, nor the addon it."""
