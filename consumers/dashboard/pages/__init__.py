"""Every page of the dashboard, and the sections that the navigation shows."""

from consumers.dashboard.page import File, Page
from consumers.dashboard.pages import accounts, alerts, education, experiments, model, start, system

PAGES: tuple[Page, ...] = (
    *start.PAGES, *experiments.PAGES, *accounts.PAGES, *alerts.PAGES, *education.PAGES, *model.PAGES, *system.PAGES,
)  # fmt: skip
FILES: tuple[File, ...] = (*accounts.FILES,)
SECTIONS = (
    ("/experiments", "Experiments"), ("/accounts", "Accounts"), ("/alerts", "Alerts"), ("/education", "Education"),
    ("/model", "Model"), ("/system", "System"),
)  # fmt: skip
"""Address and name of each section."""
