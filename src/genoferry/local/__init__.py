"""The embedded AWS: ministack and SeaweedFS on loopback, with infra/template.yaml deployed into them.

`environment.py` has `up`, `down`, `status` and `env`; `deploy.py` puts the template into any other endpoint, too.
"""
