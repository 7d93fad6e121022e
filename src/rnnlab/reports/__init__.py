"""Results as pictures, one page and files: the only room that plots.

`chart`, `svg` and `png` draw one `rnnlab.results.Figure`; `render` sets a whole report as one self-contained HTML
file; `write_report` puts it and everything in it on disk. Nothing here trains, measures or judges.
"""

from rnnlab.reports.charts import chart, png, svg
from rnnlab.reports.page import render
from rnnlab.reports.write import write_report

__all__ = ["chart", "png", "render", "svg", "write_report"]
