//! A login whose tokens are hidden wherever they might be repeated.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use azure_core::credentials::TokenCredential;
use azure_core::credentials::TokenRequestOptions;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Logins;

/// A login of the SDK, and who learns its tokens.
pub(super) struct Learning {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) logins: Logins,
}

impl fmt::Debug for Learning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Learning")
    }
}

#[async_trait]
impl TokenCredential for Learning {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.credential.get_token(scopes, options).await?;
        let bytes = token.token.secret().as_bytes().to_vec();
        self.logins.learn("Azure token", &SecretValue::new(bytes));
        Ok(token)
    }
}
