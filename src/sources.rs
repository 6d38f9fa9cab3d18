//! The sources of this program: those of `doppio-secrets`, and the stores of this build.

use doppio_secrets::source::SourceKinds;

/// Every kind of source that a reference or a setting may name.
pub static SOURCES: SourceKinds = SourceKinds::new(doppio_stores::STORES, doppio_stores::LEFT_OUT);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use doppio_secrets::DefaultSource;
    use doppio_secrets::Environment;
    use doppio_secrets::Ladder;
    use doppio_secrets::LadderOptions;
    use doppio_secrets::NoPath;
    use doppio_secrets::OnError;
    use doppio_secrets::Prompt;
    use doppio_secrets::SecretValue;
    use doppio_secrets::source::KeyOptions;
    use doppio_secrets::source::Keychain;

    use super::*;

    /// Nobody is there.
    struct Nobody;

    impl Prompt for Nobody {
        fn secret(&self, _question: &str) -> Option<SecretValue> {
            None
        }

        fn notice(&self, _text: &str) {}
    }

    /// Where the ladder with this `default_source` writes a name to.
    fn place(scheme: &str, name: &str, template: Option<&str>) -> Result<String, NoPath> {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyOptions {
            identity: None,
            passphrase_fd: None,
            passphrase_file: None,
            home: folder.path().to_owned(),
            prompt: Arc::new(Nobody),
            keychain: Arc::new(Keychain::off()),
            work_factor: 10,
        };
        let ladder = Ladder::new(LadderOptions {
            kinds: SOURCES,
            flags: BTreeMap::new(),
            bindings: BTreeMap::new(),
            environment: Environment::default(),
            dotenv: (folder.path().join(".env"), true),
            vault: (folder.path().join("vault.age"), keys),
            commands: BTreeMap::new(),
            sources: BTreeMap::new(),
            home: folder.path().to_owned(),
            default_source: template.map(|text| DefaultSource::parse(text, SOURCES).unwrap()),
            discovery: None,
            on_error: OnError::Stop,
        });
        ladder.path_of(&name.parse().unwrap(), ladder.source(scheme).unwrap())
    }

    #[test]
    fn a_name_has_a_place_in_every_store_of_this_build() {
        for (scheme, path) in [
            ("aws", "team_a/api.key"),
            ("ssm", "team_a/api.key"),
            ("gcp", "team_a-api-key"),
            ("azure", "team-a-api-key"),
            ("kubernetes", "team-a#api.key"),
            ("vault", "team_a/api.key"),
        ] {
            if SOURCES.find(scheme).is_ok() {
                assert_eq!(place(scheme, "team_a/api.key", None).as_deref(), Ok(path), "{scheme}");
            }
        }
    }

    #[cfg(all(feature = "aws", feature = "kubernetes", feature = "vault"))]
    #[test]
    fn a_property_of_the_template_is_written_where_that_can_be_done() {
        let place = |scheme: &str, template: &str| place(scheme, "token", Some(template));
        assert_eq!(place("vault", "vault:kv/app#{name}").as_deref(), Ok("kv/app#token"));
        assert_eq!(place("kubernetes", "kubernetes:ns/app#{name}").as_deref(), Ok("ns/app#token"));
        let fault = place("aws", "aws:app#{name}").unwrap_err();
        assert!(fault.to_string().contains("the property `token` of `aws:app`"), "{fault}");
        let fault = place("vault", "env:{name}").unwrap_err();
        assert!(fault.hint().contains("default_source = \"vault:MOUNT/{name}\""), "{}", fault.hint());
    }

    #[test]
    fn every_scheme_is_built_or_left_out() {
        for scheme in ["aws", "ssm", "azure", "gcp", "kubernetes", "vault"] {
            let is_built = doppio_stores::STORES.iter().any(|source| source.kind.scheme == scheme);
            let is_left_out = doppio_stores::LEFT_OUT.iter().any(|(left_out, _)| *left_out == scheme);
            assert!(is_built != is_left_out, "{scheme}");
        }
    }
}
