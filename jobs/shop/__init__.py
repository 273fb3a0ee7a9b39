"""The shop's customers and products, from the stage into silver."""
