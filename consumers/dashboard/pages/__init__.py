"""Every page of the dashboard, and the sections that the navigation shows."""

from consumers.dashboard.page import File, Page
from consumers.dashboard.pages import accounts, alerts, experiments, model, start, system

PAGES: tuple[Page, ...] = (*start.PAGES, *experiments.PAGES, *accounts.PAGES, *alerts.PAGES, *model.PAGES, *system.PAGES)
FILES: tuple[File, ...] = (*accounts.FILES,)
SECTIONS = (("/experiments", "Experiments"), ("/accounts", "Accounts"), ("/alerts", "Alerts"), ("/model", "Model"), ("/system", "System"))
"""Address and name of each section."""
