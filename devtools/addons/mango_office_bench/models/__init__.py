from . import mango_bench_row
