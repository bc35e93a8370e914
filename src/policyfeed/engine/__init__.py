"""Engines: what drives the verbs. ``local`` is one process with APScheduler as its clock."""
