//! One call of an operation, as messages speak of it.

/// What is done to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The right that it takes, as `secretsmanager:GetSecretValue`.
    pub(super) action: &'static str,
    /// The secret or parameter; empty where it is all of them.
    pub(super) path: &'a str,
    /// Whether something of the user's is sent: then AWS's own words may repeat it.
    pub(super) writes: bool,
}

impl<'a> Call<'a> {
    pub(super) const fn reading(action: &'static str, path: &'a str) -> Self {
        Self { action, path, writes: false }
    }

    pub(super) const fn writing(action: &'static str, path: &'a str) -> Self {
        Self { action, path, writes: true }
    }

    /// The name of the operation alone.
    pub(super) fn operation(&self) -> &'static str {
        self.action.rsplit(':').next().unwrap_or(self.action)
    }

    /// The path, as it follows the name of the operation in a message.
    pub(super) fn of_path(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(" on `{}`", self.path) }
    }

    /// The region that the path names, where it is an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:…`.
    pub(super) fn region(&self) -> Option<&'a str> {
        let mut parts = self.path.split(':');
        (parts.next() == Some("arn")).then(|| parts.nth(2))?.filter(|region| !region.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_an_arn_is_known() {
        let region = |path| Call::reading("ssm:GetParameter", path).region();
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ml/prod-a1b2c3";
        assert_eq!(region(arn), Some("eu-west-1"));
        assert_eq!(region("arn"), None);
        assert_eq!(region("ml/prod:x:y:z"), None);
        assert_eq!(Call::reading("ssm:GetParameter", "").operation(), "GetParameter");
    }
}
