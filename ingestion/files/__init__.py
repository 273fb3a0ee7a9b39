"""Reading tables that people export: CSV and workbooks, with the numbers, dates and encodings found in them."""
