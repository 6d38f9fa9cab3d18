//! From the request for a command to the bootstrap's announcement, or to what keeps it from coming.

use std::time::Duration;

use russh::ChannelMsg;
use tokio::time::Instant;
use tokio::time::timeout_at;

use crate::HostError;
use crate::bootstrap::Challenge;
use crate::bootstrap::LOGIN_FILES;
use crate::bootstrap::Leader;
use crate::bootstrap::Listener;
use crate::bootstrap::Trouble;
use crate::ssh::armed::Reader;
use crate::ssh::armed::Refused;
use crate::ssh::armed::Writer;

/// How long a login shell may take until the bootstrap announces itself.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(45);

/// How long whatever did not announce itself may then take to say something at the end of its input.
const ENDED_LIMIT: Duration = Duration::from_secs(5);

/// How long a bootstrap that runs may take to answer the first challenge; for each further one
/// twice as long. Something in the login files that is over by now may have read the first.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Challenges until it is clear that something else reads them.
const CHALLENGES: u32 = 3;

/// The leader, for each variable whether it was taken, and the challenge that was answered.
pub(super) type Announced = (Leader, Vec<bool>, Challenge);

/// Counts the answers and waits for the bootstrap.
pub(super) async fn announced(
    reader: &mut Reader,
    writer: &Writer,
    env: usize,
    challenge: Challenge,
) -> Result<Announced, Refused> {
    let mut waiting = Waiting {
        env,
        listener: Listener::new(challenge.clone()),
        complaint: Vec::new(),
        answers: Vec::with_capacity(env + 1),
        code: None,
    };
    let mut deadline = Instant::now() + ANNOUNCE_LIMIT;
    let mut is_ended = false;
    let mut asked = 1;
    let mut answer_by = None;
    loop {
        if waiting.listener.is_waiting() && answer_by.is_none() {
            answer_by = Some(Instant::now() + ANSWER_LIMIT);
        }
        let until = answer_by.map_or(deadline, |time| deadline.min(time));
        match timeout_at(until, reader.wait()).await {
            Ok(None) => return Err(Refused::Dead(String::new())),
            Ok(Some(message)) => {
                if let Some(leader) = waiting.hear(message)? {
                    waiting.answers.resize(env, false);
                    return Ok((leader, waiting.answers, challenge));
                }
            }
            Err(_) if answer_by.is_none() && !is_ended => {
                // A shell that reads all of its input before it runs any of it shows itself now.
                is_ended = true;
                deadline = Instant::now() + ENDED_LIMIT;
                writer.eof().await.map_err(|_| Refused::Dead(String::new()))?;
            }
            Err(_) if answer_by.is_none() || until == deadline => return Err(waiting.silent()),
            Err(_) if asked == CHALLENGES => return Err(waiting.trouble(Trouble::Shared)),
            Err(_) => {
                let dead = |_| Refused::Dead(String::new());
                writer.data(challenge.line().as_bytes()).await.map_err(dead)?;
                answer_by = Some(Instant::now() + ANSWER_LIMIT * 2_u32.pow(asked));
                asked += 1;
            }
        }
    }
}

struct Waiting {
    /// How many variables were asked for.
    env: usize,
    listener: Listener,
    complaint: Vec<u8>,
    answers: Vec<bool>,
    code: Option<u32>,
}

impl Waiting {
    fn hear(&mut self, message: ChannelMsg) -> Result<Option<Leader>, Refused> {
        match message {
            ChannelMsg::Success => self.answers.push(true),
            ChannelMsg::Failure if self.answers.len() == self.env => {
                return Err(Refused::Never(HostError::new("the server refuses to run commands")));
            }
            ChannelMsg::Failure => self.answers.push(false),
            ChannelMsg::Data { data } => match self.listener.hear(&data) {
                // Nothing can follow the announcement before the payload is there.
                Ok(Some((leader, _))) => return Ok(Some(leader)),
                Ok(None) => {}
                Err(trouble) => return Err(self.trouble(trouble)),
            },
            ChannelMsg::ExtendedData { data, .. } if self.complaint.len() < 4096 => {
                self.complaint.extend_from_slice(&data);
            }
            ChannelMsg::ExitStatus { exit_status } => self.code = Some(exit_status),
            ChannelMsg::Close
                if self.answers.len() <= self.env && self.code.is_none() && self.listener.is_silent() =>
            {
                return Err(Refused::Again);
            }
            ChannelMsg::Close => {
                let ended = self.code.map(|code| format!(" (exit status {code})")).unwrap_or_default();
                let what = format!("the login shell ended before it started a command{ended}");
                return Err(self.never(&what, LOGIN_FILES));
            }
            _ => {}
        }
        Ok(None)
    }

    fn silent(&self) -> Refused {
        let seconds = ANNOUNCE_LIMIT.as_secs();
        let what = format!("the login shell did not start a command within {seconds} seconds");
        self.never(&what, LOGIN_FILES)
    }

    fn trouble(&self, trouble: Trouble) -> Refused {
        match self.listener.sharer().filter(|_| trouble == Trouble::Shared) {
            Some(process) => Refused::Never(
                HostError::new(trouble.what()).cause(format!("process {process}")).hint(trouble.hint()),
            ),
            None => self.never(trouble.what(), trouble.hint()),
        }
    }

    fn never(&self, what: &str, hint: &str) -> Refused {
        let said = self.said().into_iter();
        Refused::Never(said.fold(HostError::new(what), HostError::cause).hint(hint))
    }

    /// What the login shell printed, for an error; nothing when a secret had been sent, for it might
    /// be in there.
    fn said(&self) -> Vec<String> {
        if self.env > 0 {
            return Vec::new();
        }
        let complaint = String::from_utf8_lossy(&self.complaint).trim().to_owned();
        [complaint, self.listener.noise()].into_iter().filter(|text| !text.is_empty()).collect()
    }
}
