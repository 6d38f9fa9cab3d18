//! What is asked of a person: the server's questions, a password.

use std::sync::Arc;

use russh::MethodKind;
use russh::client::AuthResult;
use russh::client::KeyboardInteractiveAuthResponse as Answer;
use tokio::time::Instant;

use doppio_secrets::SecretError;
use doppio_secrets::SecretValue;

use crate::error::words;
use crate::ssh::auth::Login;
use crate::ssh::auth::Refusal;
use crate::ssh::auth::text_of;

/// Rounds of questions, and passwords asked for.
const MOST_ROUNDS: usize = 10;
const MOST_PASSWORDS: usize = 3;

impl Login<'_> {
    /// Answers what the server asks until it is content or has had enough.
    pub(super) async fn answer_questions(&mut self) -> Result<bool, Refusal> {
        let user = self.spec.user.clone();
        let start = Instant::now();
        let asked =
            tokio::time::timeout(self.left, self.handle.authenticate_keyboard_interactive_start(user, None))
                .await;
        self.left = self.left.saturating_sub(start.elapsed());
        let mut answer = self.answered(asked).await?;
        for _ in 0..MOST_ROUNDS {
            let (name, instructions, prompts) = match answer {
                Answer::Success => return Ok(true),
                Answer::Failure { remaining_methods, partial_success } => {
                    let result = AuthResult::Failure { remaining_methods, partial_success };
                    return self.note(result, Some("answers to the server's questions".to_owned())).await;
                }
                Answer::InfoRequest { name, instructions, prompts } => (name, instructions, prompts),
            };
            let mut responses = Vec::new();
            let alone = prompts.len() == 1;
            for prompt in prompts {
                let about = format!("{name} {instructions} {}", prompt.prompt);
                let is_password =
                    !prompt.echo && (alone || prompt.prompt.to_lowercase().contains("password"));
                let Some(value) =
                    self.password(is_password, words(about.trim().trim_end_matches(':').as_bytes())).await
                else {
                    self.tried.push("the server's questions: nobody answered".to_owned());
                    return Ok(false);
                };
                responses.push(text_of(&value).to_string());
            }
            let start = Instant::now();
            let asked = tokio::time::timeout(
                self.left,
                self.handle.authenticate_keyboard_interactive_respond(responses),
            )
            .await;
            self.left = self.left.saturating_sub(start.elapsed());
            answer = self.answered(asked).await?;
        }
        self.tried.push("the server's questions: they did not end".to_owned());
        Ok(false)
    }

    pub(super) async fn give_passwords(&mut self) -> Result<bool, Refusal> {
        for round in 0..MOST_PASSWORDS {
            let question = format!("password of {}@{}", self.spec.user, self.spec.hostname);
            let Some(password) = self.password(true, question).await else {
                if round == 0 {
                    self.tried
                        .push("password: there is none in `ssh/password`, and nobody was asked".to_owned());
                }
                return Ok(false);
            };
            let user = self.spec.user.clone();
            let start = Instant::now();
            let text = text_of(&password);
            let attempt = self.handle.authenticate_password(user, text.as_str());
            let asked = tokio::time::timeout(self.left, attempt).await;
            self.left = self.left.saturating_sub(start.elapsed());
            let result = self.answered(asked).await?;
            if self.note(result, Some("password".to_owned())).await? {
                return Ok(true);
            }
            if !self.may(MethodKind::Password) {
                break;
            }
        }
        Ok(false)
    }

    /// The stored password, once; then what the user types.
    pub(super) async fn password(&mut self, is_password: bool, question: String) -> Option<SecretValue> {
        if is_password
            && !std::mem::replace(&mut self.stored.password, true)
            && let Some(stored) = self.fetch("ssh/password").await
        {
            return Some(stored);
        }
        self.ask(question).await
    }

    pub(super) async fn fetch(&mut self, name: &str) -> Option<SecretValue> {
        let reference = name.parse().expect("the name is fit to be one");
        match self.options.secrets.fetch(&reference).await {
            Ok(value) => Some(value),
            Err(SecretError::Missing { .. }) => None,
            Err(error) => {
                self.tried.push(error.to_string());
                None
            }
        }
    }

    pub(super) async fn ask(&self, question: String) -> Option<SecretValue> {
        let prompt = Arc::clone(&self.options.prompt);
        tokio::task::spawn_blocking(move || prompt.secret(&question)).await.ok().flatten()
    }
}
