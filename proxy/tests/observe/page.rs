//! Asks over HTTP, and reads what Prometheus would.

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks with HTTP 1.0; returns status and body.
pub(crate) async fn ask(addr: SocketAddr, line: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    let length = body.len();
    let request = format!("{line} HTTP/1.0\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("read");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).expect("a status").parse().expect("a number"), body.to_owned())
}

/// Metrics by their name and sorted labels, as `name{a="1",b="2"}`.
pub(crate) struct Page(pub(crate) String, BTreeMap<String, f64>);

impl Page {
    pub(crate) async fn read(addr: SocketAddr) -> Self {
        let (status, text) = ask(addr, "GET /metrics", "", "").await;
        assert_eq!(status, 200, "{text}");
        let series = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            let name = match name.split_once('{') {
                Some((name, labels)) => {
                    let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
                    labels.sort_unstable();
                    format!("{name}{{{}}}", labels.join(","))
                }
                None => name.to_owned(),
            };
            (name, value.parse().expect("a number"))
        });
        let series = series.collect();
        Self(text, series)
    }

    /// A figure; 0 where there is none.
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.1.get(series).copied().unwrap_or(0.0)
    }

    /// Figures of the same name, by their labels.
    pub(crate) fn all(&self, name: &str) -> BTreeMap<&str, f64> {
        let of_name = self.1.iter().filter_map(|(series, value)| Some((series.strip_prefix(name)?, *value)));
        of_name.filter(|(labels, _)| labels.starts_with('{')).collect()
    }
}
