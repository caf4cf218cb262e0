"""The code behind ``./dev``. It does not import the addon, nor vice versa."""
