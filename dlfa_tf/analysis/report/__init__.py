"""An analysis as files and as one HTML page.

runs_report: all of it: tables, pictures, the page.
error_report: the part about errors.
model_report: the parts that need models.
report_page: the page itself.
"""
