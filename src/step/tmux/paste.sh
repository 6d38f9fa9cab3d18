forget() { tmux delete-buffer -b "$buffer" 2>/dev/null; }
trap forget EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
tmux load-buffer -b "$buffer" - \; paste-buffer -d -b "$buffer" -t "$p" \; send-keys -t "$p" Enter
