//! Fetches a secret and lets the output of a careless program through the mask.
//!
//! ```sh
//! DEMO_TOKEN=hf_abcdefghijklmnop cargo run -p doppio-secrets --example resolve_and_mask
//! ```

use std::error::Error;
use std::io::Write;

use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "a program decides itself what the library may see")]
    let token = std::env::var_os("DEMO_TOKEN").unwrap_or_else(|| "made-up-token-8d1f".into());
    let environment: Environment = std::iter::once(("DEMO_TOKEN".into(), token.clone())).collect();
    let vault = SecretSession::new(Ladder::of_environment(environment), Mask::new(MaskStyle::Names));

    // From here on the mask knows the value; there is no way to print it.
    let reference: SecretRef = "demo/token".parse()?;
    let value = vault.fetch(&reference).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "fetched: {value:?}")?;

    // Output comes as it likes: plain, encoded, cut anywhere.
    let token = token.into_encoded_bytes();
    let base64 = data_encoding::BASE64.encode(&[b"Bearer ", token.as_slice()].concat());
    let mut stream = vault.mask().stream();
    for piece in [b"token: ", &token[..5], &token[5..], b"\nheader: ", base64.as_bytes(), b"\nbye\n"] {
        out.write_all(stream.push(piece).as_str().as_bytes())?;
    }
    out.write_all(stream.finish().as_str().as_bytes())?;
    for (secret, count) in stream.hits() {
        writeln!(out, "`{secret}` was masked {count} times")?;
    }
    Ok(())
}
