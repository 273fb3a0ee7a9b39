"""Airflow's DAGs. They import `schemas` and nothing else of ours; what they run are commands in our environment."""
