//! Every kind of condition, written out: what messages show.

/// The name of each kind and a whole condition of it, in the order in which help lists them.
pub static CONDITIONS: &[(&str, &str)] = &[
    ("file_exists", "{ file_exists = { path = \"/workspace/model\" } }"),
    ("file_contains", "{ file_contains = { path = \"/workspace/log\", pattern = \"^done\" } }"),
    ("command_succeeds", "{ command_succeeds = { command = \"nvidia-smi\" } }"),
    ("output_matches", "{ output_matches = { command = \"df -h\", pattern = \"/workspace\" } }"),
    ("var_equals", "{ var_equals = { name = \"answer\", value = \"yes\" } }"),
    ("var_matches", "{ var_matches = { name = \"loss\", pattern = \"^0\\\\.\" } }"),
    ("host_online", "{ host_online = { host_id = \"gpu-box\" } }"),
    ("port_open", "{ port_open = { port = 8080 } }"),
    ("tmux_alive", "{ tmux_alive = { session_name = \"train\" } }"),
    ("tmux_exited", "{ tmux_exited = { session_name = \"train\" } }"),
    ("gpu_available", "{ gpu_available = { min_count = 2 } }"),
    ("gdrive_mounted", "{ gdrive_mounted = { mount_path = \"/content/drive\" } }"),
    ("not", "{ not = { file_exists = { path = \"/workspace/lock\" } } }"),
    ("and", "{ and = [{ port_open = { port = 8080 } }, { file_exists = { path = \"/workspace/model\" } }] }"),
    ("or", "{ or = [{ port_open = { port = 8080 } }, { port_open = { port = 8081 } }] }"),
    ("always", "\"always\""),
    ("never", "\"never\""),
];
