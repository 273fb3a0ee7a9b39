"""Procurement, cleaned, in the words of OCDS where it has one."""
