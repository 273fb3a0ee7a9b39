"""Files of rows as people save them: CSV in any encoding, packed or not, and workbooks. Knows no domain."""
