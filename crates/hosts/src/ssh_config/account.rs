//! Who runs this process, by the user database.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::OnceCell;

use doppio_process::Limits;
use doppio_process::Program;

const LIMITS: Limits = Limits { longest: 64 << 10, deadline: Duration::from_secs(10) };

/// Who runs this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub user: String,
    /// The home of the user database, which OpenSSH reads whatever `HOME` says.
    pub home: PathBuf,
}

/// Asks the system once. None where there is no shell, or no entry for this user.
pub(crate) async fn account() -> Option<&'static Account> {
    static ACCOUNT: OnceCell<Option<Account>> = OnceCell::const_new();
    ACCOUNT.get_or_init(look_up_account).await.as_ref()
}

async fn look_up_account() -> Option<Account> {
    let asked = Program::shell("id -un && eval echo \"~$(id -un)\"").hear(None, LIMITS).await.ok()?;
    let text = asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).into_owned())?;
    let (user, home) = text.trim_end().split_once('\n')?;
    Some(Account { user: user.to_owned(), home: PathBuf::from(home) })
}
