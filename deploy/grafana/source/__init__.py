"""Grafana's dashboards as code; `make contracts` writes the JSON beside this folder."""
