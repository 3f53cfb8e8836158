"""Papers: what is printed, as tagged PDF and as spreadsheets. The typeface travels with them."""

from issuer.papers.roll import RollLine, roll_lines, roll_pdf, roll_xlsx

__all__ = ["RollLine", "roll_lines", "roll_pdf", "roll_xlsx"]
