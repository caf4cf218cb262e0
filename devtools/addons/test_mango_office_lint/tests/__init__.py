from . import test_files, test_registry
