//! A question to a host: a short script of ours, and what it answers.

use std::time::Duration;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::HostError;
use doppio_hosts::Interpreter;
use doppio_hosts::Output;

/// A host whose login files hang does not answer.
const DEADLINE: Duration = Duration::from_mins(1);

/// What a host answered.
pub(super) struct Answer {
    /// Its standard output.
    pub stdout: String,
    /// The script's exit code.
    pub code: i32,
}

/// Runs a script of POSIX shell text, wherever the host's own commands run.
pub(super) async fn ask(host: &Host, script: impl Into<String>) -> Result<Answer, HostError> {
    let exec = Exec {
        interpreter: Interpreter { shell: "sh".to_owned(), login: false },
        workdir: Some("/".to_owned()),
        ..Exec::new(script)
    };
    ask_exec(host, exec).await
}

/// The same with a script that says where and by what it is run.
pub(super) async fn ask_exec(host: &Host, exec: Exec) -> Result<Answer, HostError> {
    let unanswered = |why: String| HostError::new(format!("`{}` did not answer", host.id())).cause(why);
    let answered = async {
        let mut process = host.exec(exec).await?;
        let mut stdout = Vec::new();
        while let Some(output) = process.next().await {
            match output {
                Output::Stdout(bytes) => stdout.extend(bytes),
                Output::Stderr(_) => {}
                Output::Exit(Exit::Code(code)) => {
                    return Ok(Answer { stdout: String::from_utf8_lossy(&stdout).into_owned(), code });
                }
                Output::Exit(Exit::NotStarted(error)) => return Err(error),
                Output::Exit(Exit::Signal(name)) => {
                    return Err(unanswered(format!("the script was killed by SIG{name}")));
                }
                Output::Exit(Exit::Lost(why)) => return Err(unanswered(why)),
            }
        }
        Err(unanswered("the connection was closed".to_owned()))
    };
    tokio::time::timeout(DEADLINE, answered).await.unwrap_or_else(|_| {
        Err(unanswered(format!("a script does not end within {} s", DEADLINE.as_secs()))
            .hint("look for a command that blocks in the host's login files (`~/.bashrc`)"))
    })
}
