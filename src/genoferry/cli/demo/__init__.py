"""The demo: a made-up cohort through the whole of genoferry, on this machine alone.

`prepared.py` makes the cohort and encrypts it, `doubles.py` serves it, `seed.py` puts it beside `genoferry local up`
for the messages in `payloads/`, and `command.py` is `genoferry demo`.
"""
