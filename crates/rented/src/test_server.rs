//! A server that gives prepared answers, one a connection, and keeps what it was asked.

use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use doppio_secrets::SecretValue;

use crate::account::Account;

/// The server, and what it was asked: whole requests.
pub(crate) struct TestServer {
    pub base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestServer {
    /// Answers in this order: status line and headers, an empty line, the body. An empty answer hangs up
    /// without one. What comes after them gets status 599.
    pub(crate) async fn of(answers: &[&str]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers.iter().map(|answer| answer.replace("{base}", &base)).collect();
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                kept.lock().unwrap().push(request);
                let answer = answers.next().unwrap_or_else(|| "599\n\nnothing is prepared".to_owned());
                if answer.is_empty() {
                    continue;
                }
                let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
                let head = head.replace('\n', "\r\n");
                let whole = format!(
                    "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(whole.as_bytes()).await.unwrap();
            }
        });
        Self { base, asked }
    }

    /// An account of it with these keys, which sends without pauses.
    pub(crate) fn account(&self, keys: &[&str]) -> Account {
        let keys = keys.iter().map(|key| SecretValue::new(key.as_bytes().to_vec())).collect();
        Account { keys, base: Some(self.base.clone()), in_haste: true }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of it, without HTTP's version.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &String| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.asked().iter().map(line).collect()
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part).await.unwrap() {
            0 => return text,
            length => bytes.extend_from_slice(&part[..length]),
        }
    }
}
