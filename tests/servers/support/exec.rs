//! Running scripts through the library and looking at what comes back.

use std::time::Duration;

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::Output;
use doppio_hosts::Process;
use doppio_secrets::SecretValue;

/// What a script came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) exit: Exit,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) carriers: Vec<(String, &'static str)>,
}

impl Done {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text").trim_end_matches('\n')
    }
}

/// Runs to the end; a minute is more than any of them needs.
pub(crate) async fn run(host: &Host, exec: Exec) -> Done {
    let process =
        host.exec(exec).await.unwrap_or_else(|error| panic!("{error}: {:?} {:?}", error.causes, error.hint));
    finish(process).await
}

pub(crate) async fn finish(mut process: Process) -> Done {
    let carriers =
        process.deliveries().iter().map(|sent| (sent.form().to_owned(), sent.carrier.as_str())).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = tokio::time::timeout(Duration::from_secs(50), async {
        loop {
            match process.next().await.expect("an end before the last output") {
                Output::Stdout(bytes) => stdout.extend(bytes),
                Output::Stderr(bytes) => stderr.extend(bytes),
                Output::Exit(exit) => break exit,
            }
        }
    })
    .await
    .expect("an end within a minute");
    assert!(process.next().await.is_none());
    Done { exit, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned(), carriers }
}

/// A variable that carries a secret.
pub(crate) fn secret(name: &str, value: impl Into<Vec<u8>>) -> EnvVar {
    EnvVar {
        secrets: vec![format!("test/{name}")],
        ..EnvVar::new(name.parse().expect("a name"), SecretValue::new(value.into()))
    }
}

/// Reads until a line has come, and gives what came.
pub(crate) async fn until_line(process: &mut Process) -> String {
    let mut text = Vec::new();
    while !text.contains(&b'\n') {
        match tokio::time::timeout(Duration::from_secs(30), process.next()).await.expect("a line in time") {
            Some(Output::Stdout(bytes)) => text.extend(bytes),
            Some(Output::Stderr(bytes)) => eprintln!("stderr: {}", String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} before a line"),
        }
    }
    String::from_utf8(text).expect("text")
}

/// Which of the processes are still there, and no zombies, as the host numbers them.
pub(crate) async fn alive(host: &Host, pids: &[u32]) -> Vec<u32> {
    let look = |pid| format!("grep -qs '^State:[[:space:]]*[A-WY]' /proc/{pid}/status && echo {pid}\n");
    let script: String = pids.iter().map(look).collect();
    let done = run(host, Exec::new(script)).await;
    done.text().lines().map(|line| line.parse().expect("a pid")).collect()
}
