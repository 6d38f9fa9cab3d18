# Stops this machine by its own key, which its vendor gives to the container alone.
(
  halt() {
    url="$doppio_url/api/v0/instances/$CONTAINER_ID/"
    if command -v curl >/dev/null; then
      printf 'header = "Authorization: Bearer %s"\n' "$CONTAINER_API_KEY" |
        curl -fsS -K - -X PUT -H 'Content-Type: application/json' -d '{"state":"stopped"}' "$url"
    else
      DOPPIO_URL=$url python3 -c 'import os, urllib.request as u
u.urlopen(u.Request(os.environ["DOPPIO_URL"], b"{\"state\":\"stopped\"}", {"Authorization": "Bearer " + os.environ["CONTAINER_API_KEY"], "Content-Type": "application/json"}, method="PUT"))'
    fi
  }
  up() { cut -d. -f1 /proc/uptime; }
  began=$(up) busy=$(up)
  while :; do
    sleep "${DOPPIO_WATCH_SECS:-30}"
    now=$(up)
    if [ -n "$doppio_minutes" ]; then
      most=$(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null | sort -n | tail -n 1)
      # What can't be measured counts as busy.
      if [ "${most:-100}" -lt "$doppio_below" ] 2>/dev/null; then
        [ $((now - busy)) -lt $((doppio_minutes * 60)) ] || halt
      else
        busy=$now
      fi
    fi
    [ -z "$doppio_most" ] || [ $((now - began)) -lt "$doppio_most" ] || halt
  done
) >/dev/null 2>&1 </dev/null &
