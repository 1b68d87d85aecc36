"""For pytest under mutmut: Hypothesis tries the same examples in every run, so that a mutant's fate is no chance's."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile(
    "mutants",
    deadline=None,
    database=None,  # an example that killed one mutant would be tried on the next, in one run and not in another
    derandomize=True,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate),  # a long example kills a mutant as well as a short one
)
