tmux delete-buffer -b "$buffer" 2>/dev/null
! tmux list-buffers -F '#{buffer_name}' 2>/dev/null | grep -qxF "$buffer"
