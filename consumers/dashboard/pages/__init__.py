"""Every page of the dashboard, and the sections that the navigation shows."""

from consumers.dashboard.page import Page
from consumers.dashboard.pages import experiments, start, system

PAGES: tuple[Page, ...] = (*start.PAGES, *experiments.PAGES, *system.PAGES)
SECTIONS = (("/experiments", "Experiments"), ("/system", "System"))
"""Address and name of each section."""
