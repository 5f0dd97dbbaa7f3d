"""Two real trials whose participants did not all do as they were assigned, as `units` takes them.

JOBS II: 899 unemployed people, 600 of them invited to a job search seminar, which 372 attended. Thornton: 4,820 people
in 119 villages of Malawi, most of them offered money for picking up their result of an HIV test.
"""

from functools import cache

import pandas as pd

from tests.support.shared_data import DATA, needs

FOLDER = "rct_noncompliance_cluster"
needs_trials = needs(FOLDER)


@cache
def jobs() -> pd.DataFrame:
    """JOBS II, each person a cluster: person, treat, comply, job_seek, job_dich, depress1, depress2, in millionths."""
    people = pd.read_csv(DATA / FOLDER / "jobs2_jobs.csv").round(6)
    return people.assign(person=range(len(people)))


@cache
def thornton() -> pd.DataFrame:
    """Thornton's 2,834 people whose offer (any) and collection (got) are known, in whole numbers. The four whose village
    is not known are one more village, as in the published clustered error."""
    people = pd.read_csv(DATA / FOLDER / "thornton_hiv.csv").dropna(subset=["any", "got"]).fillna({"villnum": 0})
    return people.astype({"villnum": int, "any": int, "got": int}).reset_index(drop=True)
