"""The batch side: gold tables from silver, the push into ClickHouse, and the comparison of lake and ClickHouse."""
