"""Evaluation of representations: features once, probes, metrics, tasks."""
