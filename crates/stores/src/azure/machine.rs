//! Whether this is a machine of Azure's: the metadata service at the address that other clouds have
//! for theirs as well.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// An address of every network, which no router passes on.
const METADATA: ([u8; 4], u16) = ([169, 254, 169, 254], 80);

/// How long it may take to be there. Elsewhere nothing answers, and waiting would delay each of a
/// developer's commands.
const CONNECT: Duration = Duration::from_millis(500);

/// How long it may take to answer, once it is there.
const ANSWER: Duration = Duration::from_secs(1);

/// No answer that is looked at is longer, in bytes.
const LONGEST: u64 = 16 << 10;

/// Whether Azure's identity service answers. As `DefaultAzureCredential` of other languages does,
/// it is asked without the header that a real question must have, so that no token is made.
pub(super) async fn is_of_azure() -> bool {
    is_answered_at(SocketAddr::from(METADATA)).await
}

async fn is_answered_at(address: SocketAddr) -> bool {
    let Ok(Ok(mut stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await else {
        return false;
    };
    let request = format!(
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01 HTTP/1.1\r\nHost: {}\r\n\
         Connection: close\r\n\r\n",
        address.ip()
    );
    let talk = async {
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    matches!(tokio::time::timeout(ANSWER, talk).await, Ok(Ok(answer)) if is_of_identity(&answer))
}

/// Whether this is how Azure's identity service refuses: status 400 (or 429, when it is asked too
/// often) and a JSON object with an `error`. Those of Amazon and Google say 401, 403 or 404.
fn is_of_identity(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if !matches!(head.split(' ').nth(1), Some("400" | "429")) {
        return false;
    }
    // It may come in chunks, with their lengths around it.
    let (Some(from), Some(to)) = (body.find('{'), body.rfind('}')) else { return false };
    let json = body.get(from..=to).and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    json.is_some_and(|json| json.get("error").is_some_and(serde_json::Value::is_string))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What is made of a service that gives this answer.
    async fn of(answer: &'static str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
            assert!(request.starts_with("get /metadata/identity/oauth2/token?"), "{request}");
            assert!(!request.contains("metadata: true"), "{request}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let found = is_answered_at(address).await;
        serve.await.unwrap();
        found
    }

    #[tokio::test]
    async fn azure_is_told_from_other_clouds() {
        assert!(
            of("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n\r\n\
                {\"error\":\"invalid_request\",\"error_description\":\"Required metadata header not specified\"}")
            .await
        );
        assert!(
            of("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n\
                    1f\r\n{\"error\":\"bad_request_102\"}\r\n0\r\n\r\n")
            .await
        );
        for other in [
            // Amazon, with and without a session; Google; a proxy.
            "HTTP/1.1 401 Unauthorized\r\nServer: EC2ws\r\n\r\n<?xml version=\"1.0\"?>",
            "HTTP/1.1 404 Not Found\r\nServer: EC2ws\r\n\r\n<?xml version=\"1.0\"?>",
            "HTTP/1.1 403 Forbidden\r\nMetadata-Flavor: Google\r\n\r\n<!DOCTYPE html>{\"error\": \"x\"}",
            "HTTP/1.1 400 Bad Request\r\n\r\n<html>{}</html>",
            "HTTP/1.1 200 OK\r\n\r\n{\"error\": \"x\"}",
            "SSH-2.0-x\r\n",
        ] {
            assert!(!of(other).await, "{other}");
        }
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(!is_answered_at(nobody).await);
    }
}
