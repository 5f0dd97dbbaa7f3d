"""Every page of the dashboard, and the sections that the navigation shows."""

from consumers.dashboard.page import Page
from consumers.dashboard.pages import start, system

PAGES: tuple[Page, ...] = (*start.PAGES, *system.PAGES)
SECTIONS = (("/system", "System"),)
"""Address and name of each section."""
