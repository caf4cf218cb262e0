from . import test_statistics_import
