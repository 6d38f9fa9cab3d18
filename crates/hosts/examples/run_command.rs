//! Runs a command on a host of the user's `ssh_config`, or on this machine, and prints what it prints
//! through a mask.
//!
//! ```sh
//! cargo run -p doppio-hosts --example run_command -- HOST 'echo "$TOKEN"'
//! ```

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::FirstContact;
use doppio_hosts::HostsFile;
use doppio_hosts::Output;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_hosts::Prompt;
use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;

/// Nobody is there to be asked.
struct Nobody;

impl Prompt for Nobody {
    fn secret(&self, _: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, _: &str) {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let host = arguments.next().unwrap_or_else(|| "sandbox".to_owned());
    let command = arguments.next().unwrap_or_else(|| r#"echo "the token is $TOKEN""#.to_owned());
    #[expect(clippy::disallowed_methods, reason = "a program decides itself what the library may see")]
    let environment: Environment = std::env::vars_os().collect();
    let home = environment.path("HOME").ok_or("there is no home directory")?;

    let secrets = Arc::new(SecretSession::new(
        Ladder::of_environment(environment.clone()),
        Mask::new(MaskStyle::Names),
    ));
    let token = SecretValue::new(b"made-up-token-8d1f".to_vec());
    secrets.mask().register("demo/token", &token)?;
    let pool = Pool::new(PoolOptions {
        hosts: HostsFile::default(),
        secrets: Arc::clone(&secrets),
        prompt: Arc::new(Nobody),
        state: home.join(".local/state/doppio-example"),
        home,
        agent: environment.path("SSH_AUTH_SOCK"),
        first_contact: FirstContact::Accept,
        sandbox: host == "sandbox",
        env_names: ["TOKEN".parse()?].into(),
        rented: None,
    });

    let mut exec = Exec::new(command);
    exec.env.push(EnvVar { secrets: vec!["demo/token".to_owned()], ..EnvVar::new("TOKEN".parse()?, token) });
    let mut process = pool.host(&host.parse()?).await?.exec(exec).await?;
    let mut shown = secrets.mask().stream();
    let mut out = std::io::stdout().lock();
    while let Some(output) = process.next().await {
        match output {
            Output::Stdout(bytes) | Output::Stderr(bytes) => {
                out.write_all(shown.push(&bytes).as_str().as_bytes())?;
            }
            Output::Exit(exit) => {
                out.write_all(shown.finish().as_str().as_bytes())?;
                writeln!(out, "{exit:?}")?;
                break;
            }
        }
    }
    pool.close().await;
    Ok(())
}
