//! One signed request: AWS JSON 1.1 with a signature of version 4.

use std::time::SystemTime;

use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SigningError;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::http_request::sign;
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;

use crate::aws::body::Body;
use crate::aws::refusal::Failure;
use crate::aws::refusal::no_credentials;
use crate::aws::service::Service;
use doppio_http::NoResponse;

/// Where a service is asked.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub region: String,
    pub url: Url,
}

/// A request, which can be sent several times: each time with a signature of its own.
pub(super) struct Request<'a> {
    service: &'static Service,
    endpoint: &'a Endpoint,
    target: String,
    body: Bytes,
}

impl<'a> Request<'a> {
    /// The body is wiped when the last copy of this and what was sent of it is gone.
    pub(super) fn new(
        service: &'static Service,
        endpoint: &'a Endpoint,
        operation: &'static str,
        body: Body,
    ) -> Self {
        Self { service, endpoint, target: service.target(operation), body: Bytes::from_owner(body) }
    }

    /// The request as it is sent, signed for this moment.
    ///
    /// # Errors
    ///
    /// When the credentials hold what no header can.
    pub(super) fn signed(
        &self,
        http: &reqwest::Client,
        identity: &Identity,
        time: SystemTime,
    ) -> Result<reqwest::Request, Failure> {
        let odd = || Failure::Unsent(no_credentials("they hold characters that no key has"));
        let headers = self.headers(identity, time).map_err(|_| odd())?.ok_or_else(odd)?;
        let sent = http.post(self.endpoint.url.clone()).headers(headers).body(self.body.clone());
        sent.build().map_err(|error| NoResponse::from(error).into())
    }

    /// All headers that are signed, and the signature; none where one is no header.
    fn headers(&self, identity: &Identity, time: SystemTime) -> Result<Option<HeaderMap>, SigningError> {
        let own = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", self.target.as_str())];
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.endpoint.region)
            .name(self.service.name)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .expect("all parameters are there")
            .into();
        let body = SignableBody::Bytes(&self.body);
        let request = SignableRequest::new("POST", self.endpoint.url.as_str(), own.into_iter(), body)?;
        let (signature, _) = sign(request, &params)?.into_parts();
        let (signature, _) = signature.into_parts();
        let signature = signature.iter().map(|header| (header.name(), header.value()));
        let headers = own.into_iter().chain(signature).map(|(name, value)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(matches!(name, "authorization" | "x-amz-security-token"));
            Some((HeaderName::from_static(name), value))
        });
        Ok(headers.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;
    use serde_json::json;

    use super::*;
    use crate::aws::body;
    use crate::aws::service::PARAMETERS;
    use crate::aws::service::SECRETS;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { region: "eu-west-1".to_owned(), url: Url::parse(url).unwrap() }
    }

    fn identity(token: Option<&str>) -> Identity {
        Credentials::new("AKIDEXAMPLE", "made/up+secret", token.map(str::to_owned), None, "test").into()
    }

    fn signed(request: &Request<'_>, token: Option<&str>) -> reqwest::Request {
        drop(rustls::crypto::ring::default_provider().install_default());
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_001);
        request.signed(&reqwest::Client::new(), &identity(token), time).unwrap()
    }

    fn header<'a>(request: &'a reqwest::Request, name: &str) -> &'a str {
        request.headers()[name].to_str().unwrap()
    }

    #[test]
    fn a_request_has_the_form_of_the_protocol() {
        let endpoint = endpoint("https://ssm.eu-west-1.amazonaws.com/");
        let body = body::plain(&json!({ "Name": "/a/b", "WithDecryption": true }));
        let request =
            signed(&Request::new(&PARAMETERS, &endpoint, "GetParameter", body), Some("made up token"));
        assert_eq!(request.method(), "POST");
        assert_eq!(request.url(), &endpoint.url);
        assert_eq!(header(&request, "content-type"), "application/x-amz-json-1.1");
        assert_eq!(header(&request, "x-amz-target"), "AmazonSSM.GetParameter");
        assert_eq!(header(&request, "x-amz-security-token"), "made up token");
        assert!(request.headers()["authorization"].is_sensitive());
        let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        assert_eq!(sent, br#"{"Name":"/a/b","WithDecryption":true}"#);
    }

    /// What botocore's signer gives for the same request, keys and time.
    #[test]
    fn a_signature_is_that_of_amazons_own_programs() {
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/eu-west-1/secretsmanager/aws4_request";
        for (url, token, signed_headers, signature) in [
            (
                "https://secretsmanager.eu-west-1.amazonaws.com/",
                None,
                "content-type;host;x-amz-date;x-amz-target",
                "a0538071a9f0b5b6e15063fd333dc2e39322156191faf2da8bfa2495a2313ceb",
            ),
            (
                "http://127.0.0.1:4566/aws/",
                Some("made-up-token"),
                "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
                "19c2588189ddf4bd7935ea87204c8f0f17b51f326671a832e6634fcd4066dac8",
            ),
        ] {
            let endpoint = endpoint(url);
            let body = body::plain(&json!({ "SecretId": "ml/prod" }));
            let request = signed(&Request::new(&SECRETS, &endpoint, "GetSecretValue", body), token);
            assert_eq!(header(&request, "x-amz-date"), "20270115T080001Z");
            let expected = format!("{scope}, SignedHeaders={signed_headers}, Signature={signature}");
            assert_eq!(header(&request, "authorization"), expected, "{url}");
        }
    }

    #[test]
    fn keys_that_are_no_header_are_told() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let endpoint = endpoint("https://ssm.eu-west-1.amazonaws.com/");
        let request = Request::new(&PARAMETERS, &endpoint, "GetParameter", body::plain(&json!({})));
        let broken: Identity = Credentials::new("AKID\n", "x", None, None, "test").into();
        let failure = request.signed(&reqwest::Client::new(), &broken, SystemTime::now()).unwrap_err();
        assert!(matches!(failure, Failure::Unsent(_)));
    }
}
