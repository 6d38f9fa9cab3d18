//! The services, and where they answer.

use reqwest::Url;

use doppio_secrets::looks_like_name;
use doppio_secrets::source::SourceError;

/// A service of AWS.
#[derive(Debug)]
pub(super) struct Service {
    /// What hosts, signatures and rights call it.
    pub name: &'static str,
    /// What its requests begin the names of operations with.
    target: &'static str,
    /// Its key in the section `[services …]` of `~/.aws/config`.
    pub id: &'static str,
    /// The variable that moves it alone.
    pub variable: &'static str,
    /// Whether its ordinary hosts are the ones with IPv6 too, outside of isolated partitions.
    is_dual_stack: bool,
    /// Whether its ordinary hosts in `GovCloud` are the ones with FIPS.
    is_fips_in_gov: bool,
}

/// Secrets Manager.
pub(super) static SECRETS: Service = Service {
    name: "secretsmanager",
    target: "secretsmanager",
    id: "Secrets Manager",
    variable: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    is_dual_stack: true,
    is_fips_in_gov: false,
};

/// Parameter Store, which is a part of Systems Manager.
pub(super) static PARAMETERS: Service = Service {
    name: "ssm",
    target: "AmazonSSM",
    id: "SSM",
    variable: "AWS_ENDPOINT_URL_SSM",
    is_dual_stack: false,
    is_fips_in_gov: true,
};

/// A part of AWS that has its own domains.
struct Partition {
    /// What its regions begin with.
    regions: &'static str,
    suffix: &'static str,
    /// The suffix of hosts with IPv6 too.
    dual: &'static str,
    is_isolated: bool,
}

/// All of them; the last one has every region that no other has.
const PARTITIONS: &[Partition] = &[
    Partition { regions: "us-gov-", suffix: "amazonaws.com", dual: "api.aws", is_isolated: false },
    Partition {
        regions: "cn-",
        suffix: "amazonaws.com.cn",
        dual: "api.amazonwebservices.com.cn",
        is_isolated: false,
    },
    Partition {
        regions: "eusc-",
        suffix: "amazonaws.eu",
        dual: "api.amazonwebservices.eu",
        is_isolated: true,
    },
    Partition { regions: "us-iso-", suffix: "c2s.ic.gov", dual: "api.aws.ic.gov", is_isolated: true },
    Partition { regions: "us-isob-", suffix: "sc2s.sgov.gov", dual: "api.aws.scloud", is_isolated: true },
    Partition {
        regions: "eu-isoe-",
        suffix: "cloud.adc-e.uk",
        dual: "api.cloud-aws.adc-e.uk",
        is_isolated: true,
    },
    Partition {
        regions: "us-isof-",
        suffix: "csp.hci.ic.gov",
        dual: "api.aws.hci.ic.gov",
        is_isolated: true,
    },
    Partition { regions: "", suffix: "amazonaws.com", dual: "api.aws", is_isolated: false },
];

/// Which of a service's hosts is meant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Variant {
    /// The one whose cryptography is certified.
    pub fips: bool,
    /// The one with IPv6 too.
    pub dual_stack: bool,
}

impl Service {
    /// What a request names as its target.
    pub(super) fn target(&self, operation: &str) -> String {
        format!("{}.{operation}", self.target)
    }

    /// Where it answers in a region.
    ///
    /// # Errors
    ///
    /// When the region is not a name of one.
    pub(super) fn url(&self, region: &str, variant: Variant) -> Result<Url, SourceError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let url = Some(region).filter(|region| !region.is_empty() && region.bytes().all(is_name));
        let url = url.and_then(|region| Url::parse(&format!("https://{}/", self.host(region, variant))).ok());
        url.ok_or_else(|| {
            let what = if looks_like_name(region) { format!("`{region}`") } else { "what is set".to_owned() };
            SourceError::unreachable(
                format!("{what} is no region of AWS"),
                "fix AWS_REGION, or `region` in config.toml: it is a name such as `eu-central-1`",
            )
        })
    }

    fn host(&self, region: &str, variant: Variant) -> String {
        let is_in = |partition: &&Partition| region.starts_with(partition.regions);
        let partition = PARTITIONS.iter().find(is_in).expect("the last one has every region");
        let is_plain = self.is_dual_stack && !partition.is_isolated;
        let suffix = if variant.dual_stack && !is_plain { partition.dual } else { partition.suffix };
        let is_fips = self.is_fips_in_gov && partition.regions == "us-gov-" && !variant.dual_stack;
        let fips = if variant.fips && !is_fips { "-fips" } else { "" };
        format!("{}{fips}.{region}.{suffix}", self.name)
    }
}

/// An endpoint that the user named.
///
/// # Errors
///
/// When it is not a URL that can be asked, or another kind of host is wanted at the same time.
pub(super) fn custom(text: &str, variant: Variant) -> Result<Url, SourceError> {
    let wanted = match variant {
        Variant { fips: true, .. } => Some(("FIPS", "AWS_USE_FIPS_ENDPOINT")),
        Variant { dual_stack: true, .. } => Some(("dual-stack", "AWS_USE_DUALSTACK_ENDPOINT")),
        Variant { .. } => None,
    };
    if let Some((kind, variable)) = wanted {
        return Err(SourceError::unreachable(
            format!("an endpoint of your own can't be a {kind} endpoint of AWS"),
            format!("unset {variable}, or the endpoint"),
        ));
    }
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    let mut url = url.ok_or_else(|| {
        SourceError::unreachable(
            "the endpoint of AWS is not a URL of the form `https://HOST`",
            "fix AWS_ENDPOINT_URL, or `endpoint` in config.toml",
        )
    })?;
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIPS: Variant = Variant { fips: true, dual_stack: false };
    const DUAL: Variant = Variant { fips: false, dual_stack: true };
    const BOTH: Variant = Variant { fips: true, dual_stack: true };

    /// What the endpoint rules of Amazon's SDKs for both services give.
    #[test]
    fn hosts_are_those_of_the_rules_of_amazon() {
        let plain = Variant::default();
        for (service, region, variant, host) in [
            (&SECRETS, "eu-central-1", plain, "secretsmanager.eu-central-1.amazonaws.com"),
            (&SECRETS, "us-east-1", FIPS, "secretsmanager-fips.us-east-1.amazonaws.com"),
            (&SECRETS, "us-east-1", DUAL, "secretsmanager.us-east-1.amazonaws.com"),
            (&SECRETS, "us-gov-west-1", BOTH, "secretsmanager-fips.us-gov-west-1.amazonaws.com"),
            (&SECRETS, "cn-north-1", DUAL, "secretsmanager.cn-north-1.amazonaws.com.cn"),
            (&SECRETS, "eusc-de-east-1", DUAL, "secretsmanager.eusc-de-east-1.api.amazonwebservices.eu"),
            (&SECRETS, "us-isob-east-1", plain, "secretsmanager.us-isob-east-1.sc2s.sgov.gov"),
            (&PARAMETERS, "ap-south-2", plain, "ssm.ap-south-2.amazonaws.com"),
            (&PARAMETERS, "us-east-1", FIPS, "ssm-fips.us-east-1.amazonaws.com"),
            (&PARAMETERS, "us-east-1", BOTH, "ssm-fips.us-east-1.api.aws"),
            (&PARAMETERS, "us-gov-west-1", FIPS, "ssm.us-gov-west-1.amazonaws.com"),
            (&PARAMETERS, "us-gov-west-1", BOTH, "ssm-fips.us-gov-west-1.api.aws"),
            (&PARAMETERS, "cn-north-1", DUAL, "ssm.cn-north-1.api.amazonwebservices.com.cn"),
            (&PARAMETERS, "eu-isoe-west-1", FIPS, "ssm-fips.eu-isoe-west-1.cloud.adc-e.uk"),
            (&PARAMETERS, "us-iso-east-1", plain, "ssm.us-iso-east-1.c2s.ic.gov"),
            (&PARAMETERS, "us-isof-south-1", DUAL, "ssm.us-isof-south-1.api.aws.hci.ic.gov"),
            // One that does not exist yet.
            (&PARAMETERS, "mars-north-1", plain, "ssm.mars-north-1.amazonaws.com"),
        ] {
            assert_eq!(service.url(region, variant).unwrap().as_str(), format!("https://{host}/"));
        }
    }

    #[test]
    fn a_region_leads_to_no_other_host() {
        for region in ["evil.example/", "x@evil.example#", "a.b", "", "eu central"] {
            assert!(SECRETS.url(region, Variant::default()).is_err(), "{region}");
        }
    }

    #[test]
    fn an_endpoint_keeps_its_path_and_no_query() {
        let url = |text| custom(text, Variant::default()).map(|url| url.to_string());
        assert_eq!(url("http://127.0.0.1:4566").unwrap(), "http://127.0.0.1:4566/");
        assert_eq!(url("https://example.invalid/aws?x#y").unwrap(), "https://example.invalid/aws/");
        for text in ["", "example.invalid", "ftp://example.invalid", "http://", "http://user@h"] {
            assert!(url(text).is_err(), "{text}");
        }
        assert!(custom("https://example.invalid", FIPS).unwrap_err().hint().unwrap().contains("FIPS"));
        assert!(custom("https://example.invalid", DUAL).is_err());
    }
}
