"""Every page of the dashboard, and the sections that the navigation shows."""

from consumers.dashboard.page import File, Page
from consumers.dashboard.pages import accounts, experiments, start, system

PAGES: tuple[Page, ...] = (*start.PAGES, *experiments.PAGES, *accounts.PAGES, *system.PAGES)
FILES: tuple[File, ...] = (*accounts.FILES,)
SECTIONS = (("/experiments", "Experiments"), ("/accounts", "Accounts"), ("/system", "System"))
"""Address and name of each section."""
