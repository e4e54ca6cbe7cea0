# Debian has no `python` outside of an environment, and the shell would say no more than "not found".
command -v python > /dev/null && exit 0
echo 'thermochroma: there is no `python` on PATH; the project'\''s environment has one; `make setup`' \
  'unless .venv is there, then `source .venv/bin/activate` and the same command again.' >&2
exit 1
