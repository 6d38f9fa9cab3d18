//! Texts that stand for a value elsewhere: references of other tools, and ciphertext. Handed over as a
//! value they would be taken for it.

/// A text that is no value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignForm {
    /// What it is, to follow "the value".
    pub is: &'static str,
    /// What to do instead.
    pub hint: &'static str,
}

/// How forms begin, and how those end that have an end.
const FORMS: &[(&str, &str, ForeignForm)] = &[
    (
        "op://",
        "",
        ForeignForm {
            is: "is a reference of 1Password, not what it refers to",
            hint: "write `${secret:op:VAULT/ITEM/FIELD}` in the recipe, or store what `op read` prints",
        },
    ),
    ("${{", "}}", CI),
    ("$${{", "}}", CI),
    ("<secret:", ">", OURS),
    ("$<secret:", ">", OURS),
    ("${secret:", "}", OURS),
    (
        "encrypted:",
        "",
        ForeignForm { is: "is ciphertext of dotenvx", hint: "import what `dotenvx get NAME` prints" },
    ),
    (
        "ENC[AES256_GCM,",
        "]",
        ForeignForm { is: "is ciphertext of sops", hint: "import what `sops decrypt FILE` prints" },
    ),
    (
        "ENC[",
        "]",
        ForeignForm { is: "is ciphertext of eyaml", hint: "import what `eyaml decrypt -f FILE` prints" },
    ),
    ("!vault", "", ANSIBLE),
    ("$ANSIBLE_VAULT;", "", ANSIBLE),
    (
        "vault:v",
        "",
        ForeignForm {
            is: "is ciphertext of Vault's transit engine",
            hint: "store what `vault write transit/decrypt/KEY ciphertext=…` decrypts it to",
        },
    ),
    (
        "{cipher}",
        "",
        ForeignForm { is: "is ciphertext of Spring Cloud Config", hint: "store what its `/decrypt` answers" },
    ),
    (
        "@Microsoft.KeyVault(",
        ")",
        ForeignForm {
            is: "is a reference to Azure Key Vault, not what it refers to",
            hint: "write `${secret:azure:VAULT/NAME}` in the recipe",
        },
    ),
    (
        "{{resolve:",
        "}}",
        ForeignForm {
            is: "is a reference of CloudFormation, not what it refers to",
            hint: "write `${secret:aws:NAME}` or `${secret:ssm:NAME}` in the recipe",
        },
    ),
    ("secretref:", "", OTHER),
    ("sm://", "", GCP),
    ("berglas://", "", GCP),
    ("ref+", "", OTHER),
    ("ref://", "", OTHER),
];

const CI: ForeignForm = ForeignForm {
    is: "is a reference of GitHub Actions or amlt, not what it refers to",
    hint: "write `${secret:NAME}` in the recipe; `doppio secret suggest` lists the usual names",
};
const OURS: ForeignForm = ForeignForm {
    is: "is a reference to a secret, not what it refers to",
    hint: "write `${secret:NAME}` in the recipe, where it is looked up",
};
const ANSIBLE: ForeignForm =
    ForeignForm { is: "is ciphertext of Ansible Vault", hint: "import what `ansible-vault decrypt` gives" };
const GCP: ForeignForm = ForeignForm {
    is: "is a reference to Google's Secret Manager, not what it refers to",
    hint: "write `${secret:gcp:NAME}` in the recipe",
};
const OTHER: ForeignForm = ForeignForm {
    is: "is a reference of another tool, not what it refers to",
    hint: "write `${secret:SOURCE:PATH}` in the recipe; `doppio secret sources` lists the sources",
};

/// What a value is, if it is none: a form that it begins with and, where the form has an end, ends with.
pub fn foreign_form(value: &[u8]) -> Option<ForeignForm> {
    let value = value.trim_ascii();
    let value = [b'"', b'\'']
        .iter()
        .find_map(|quote| value.strip_prefix(&[*quote])?.strip_suffix(&[*quote]))
        .unwrap_or(value);
    let (begin, _, form) = FORMS.iter().find(|(begin, end, _)| {
        value.starts_with(begin.as_bytes()) && value.ends_with(end.as_bytes()) && value.len() > begin.len()
    })?;
    let rest = &value[begin.len()..];
    let is_one = match *begin {
        // What follows must look like what these tools write: `v1:`, base64, `vals+secret://`.
        "vault:v" => rest.iter().position(|byte| *byte == b':').is_some_and(|colon| {
            colon > 0 && rest[..colon].iter().all(u8::is_ascii_digit) && rest.len() > colon + 1
        }),
        "encrypted:" => {
            rest.len() >= 16 && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
        }
        "ref+" => rest.windows(3).any(|at| at == b"://"),
        "${{" | "$${{" => rest.trim_ascii_start().starts_with(b"secrets."),
        _ => true,
    };
    is_one.then_some(*form)
}

#[cfg(test)]
mod tests {
    use super::*;

    // case B9
    #[test]
    fn references_of_others_and_ciphertext_are_told_from_values() {
        for (text, is) in [
            ("op://Shared/huggingface/token", "1Password"),
            ("$${{secrets.HF_TOKEN}}", "GitHub Actions"),
            ("${{ secrets.HF_TOKEN }}", "GitHub Actions"),
            ("<secret:a/b>", "a reference to a secret"),
            ("$<secret:a/b>", "a reference to a secret"),
            ("${secret:a/b}", "a reference to a secret"),
            ("encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt+Z9HPMfLEIRVz50hmLXPXRuDBXaJi", "dotenvx"),
            ("ENC[AES256_GCM,data:ZQ==,iv:AA==,tag:AA==,type:str]", "sops"),
            ("ENC[PKCS7,MIIBeQYJKoZIhvc]", "eyaml"),
            ("!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3334", "Ansible"),
            ("$ANSIBLE_VAULT;1.1;AES256\n3334", "Ansible"),
            ("vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==", "transit"),
            ("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/)", "Azure"),
            ("{{resolve:secretsmanager:prod/db:SecretString:password}}", "CloudFormation"),
            (" 'op://a/b/c'\n", "1Password"),
            ("ref+awssecrets://prod/db", "another tool"),
        ] {
            assert!(foreign_form(text.as_bytes()).is_some_and(|form| form.is.contains(is)), "{text}");
        }
        for text in [
            "hf_abcdefgh",
            "opening",
            "op:a/b",
            "encrypted: no",
            "vault:kv/app",
            "vault:value",
            "ENC",
            "",
            "<secret>",
            "${{ matrix.os }}",
            "a op://b/c/d",
            "{\"cipher\": 1}",
            "ref+1",
            "op://",
        ] {
            assert_eq!(foreign_form(text.as_bytes()), None, "{text}");
        }
    }
}
